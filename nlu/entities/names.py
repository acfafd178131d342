"""Words that tell names from talk: given names, the particles inside names, and what is never a name."""

from __future__ import annotations

from nlu.entities.words import words

GIVEN = words(
    """
abel abigail adan adela adolfo adriana adriano agustin agustina aida alan alba alberto alcides aldo alejandra alejandro alex
alexa alexander alexandra alexis alfonso alfredo alicia alina alirio alma alonso alvaro amalia amanda amelia amparo ana anabel
anahi andrea andreia andres angel angela angelica angie anibal anna anthony antonella antonia antonio araceli ariadna ariana
ariel armando arnold arturo astrid augusto aura aurelio aurora ayrton azucena barbara beatriz belen benito benjamin bernarda
bernardo beti beto betty bianca blanca brayan brenda brian bruna bruno camila camilo carina carla carlos carmen carolina
catalina cecilia celeste celia celina cesar chabela charo chayo chepe christian chucho cintia clara claudia claudio clemente
concepcion conrado constanza consuelo cristian cristiano cristina cristobal cynthia daiana damian dana dani daniel daniela
danilo dario david dayana deborah delfina denis denise derly diana diego dolores domingo doris douglas duvan edgar edgardo
edilberto edison eduarda eduardo edwin efrain elena eliana elias elisa elizabeth elkin eloisa elsa elvira emanuel emilia
emiliano emilio emma enrique eric erica erick erika ernesto esperanza esteban estefania estela ester esther estrella eugenia
eugenio eva evelyn ezequiel fabian fabiana fabio fabiola facu facundo fanny fatima fede federico felipe felix fernanda fernando
fidel flavia flavio flor florencia francisca francisco franco frank franklin freddy gabo gabriel gabriela gael genaro george
gerardo german gerson gilberto gina giovanni gisela giselle gladys gloria gonzalo goyo graciela gregorio grettel guadalupe
guilherme guillermina guillermo gustavo hector helena henrique henry heriberto hernan hernando hilda horacio hugo humberto
ignacio ileana ines ingrid irene iris irma isaac isabel isabela isabella isaias ismael israel ivan ivette ivonne jackeline
jacqueline jaime jairo james janeth javier jazmin jean jeferson jefferson jeison jennifer jenny jeronimo jesica jessica jessika
jesus jhon jhonatan joan joana joao joaquin joaquina joel johana johanna john johnny jonas jonathan jorge jose josefa josefina
joseph josue joyce juan juana juancho juanita julia julian juliana juliano julieta julio karen karina karla kathe katherine
kathy katia kelly kenia kevin kike lalo laura lautaro leandro leidy leila lenin leo leon leonardo leonel leonor leticia lia
lidia ligia lilia lilian liliana lina linda lisandro liz lizeth lola lorena lorenzo lourdes lucas lucero lucho lucia luciana
luciano lucila luis luisa luiz lupe luz mabel macarena magali magdalena maite manuel manuela mara marcela marcelo marcia marco
marcos margarita maria mariana marianela mariano maribel maricela mariela marilyn marina mario marisol marlene marlon marta
martha martin martina mary mateo mateus matheus mati matias maura mauricio mauro max maximiliano maximo mayra meche melanie
melany melina melissa memo mercedes micaela michael michelle miguel milagros milena miriam moises moncho monica monserrat
myriam nacho nadia nancy nando natalia natanael nathalia nathalie nelly nelson nestor nico nicolas nicole nidia noelia noemi
nora norberto norma octavio olga oliver olivia omar orlando oscar osvaldo otilia pablo pacho paco pamela paola pascual patricia
patricio paul paula paulina paulo pedro pepe perla pilar pili priscila quique rafa rafael rafaela ramiro ramon raquel raul
rebeca regina reina renata renato rene reynaldo ricardo richard rigoberto rita robert roberta roberto robinson rocio rodolfo
rodrigo rogelio roger rolando roman romina ronald rosa rosalba rosalia rosana rosario rosaura roxana ruben rut ruth sabrina
salome salvador samanta samuel sandra santi santiago santos sara sarah saul seba sebastian selena sergio sharon sheila silvana
silvia simon simona sofia sol soledad sonia stefany stella stephanie steven stiven susana tamara tania tatiana tavo telma
teodoro tere teresa thiago tiago tito tomas tulio uriel valentin valentina valeria vane vanesa vanessa vera veronica vicente
victor victoria vinicius violeta virginia viviana walter wendy wilder wilfredo william wilmer wilson ximena xiomara yadira
yamila yaneth yeison yenny yesenia yesi yesica yeya yohana yolanda yuliana yuri zaira zoe zulma
"""
)

PARTICLES = words(
    """
de del la las los da das do dos e y von van der di du san santa mc mac
"""
)
"""Lower case inside a name, and never a name alone ("y" only in a name that is written whole: "Ortega y Gasset")."""

TITLES = words(
    """
senor senora senorita sr sra srta don dona dr dra doctor doctora ing ingeniero ingeniera lic licenciado licenciada arq
rector rectora padre arquitecto chef profe profesor profesora mr mrs ms miss senhor senhora seu
"""
)

OF_A_BUSINESS = words(
    """
empresa tienda ferreteria distribuidora comercial almacen restaurante panaderia taller constructora hotel farmacia drogueria
colegio universidad clinica hospital importadora exportadora grupo compania oficina supermercado minimarket bodega negocio
local libreria papeleria cafeteria bar agencia inmobiliaria consultorio fundacion cooperativa transportes logistica
inversiones industrias laboratorio estudio banco seguros ventas compras parte area sistemas compu computadores soluciones
servicios tecnologia sas ltda srl eirl llc gmbh inc company shop store office school loja escritorio mercado padaria
"""
)

NOT_NAMES = words(
    """
en vivo vive viven vivimos puedo puede pueden podria podrian pagar pago pagos ando voy va vamos van paso pasar ver veo vi
saber mirar mira creo pienso hago hizo recibi llego llegar falta sirve sirven interesa gusta gustaria encanta prefiero
escribo escribe averiguar averiguo consultar consulta pregunta preguntar duda dudas oferta ofertas promocion promociones
descuento descuentos garantia factura pedido orden reserva cita cuenta cuota cuotas credito efectivo tarjeta transferencia
casa calle carrera avenida barrio ciudad direccion color negro blanco rojo azul grande pequeno usado usada barato barata
caro bonito todo toda todos todas mismo misma tan tanto asi aqui aca alla ahi entonces pues ni o u correo telefono numero
mensaje foto fotos favorito ningun cualquier cualquiera mouse teclado monitor parlante camara disco memoria accesorios
repuesto reparacion importar exportar contenedor carga cajas just looking there good morning afternoon evening yes sure
maybe later tomorrow today estou gostaria tudo voces tem gostei tenho hoje amanha hola ola holis buenas buenos buen dia dias
tarde tardes noche noches saludos saludo hey hi hello bom boa oi alo que tal como estas esta estan estoy estamos si sip sii
no nop nel ok okay okey vale listo dale claro bueno bien mal perfecto gracias graciass favor porfa porfavor porfis disculpe
disculpa perdon quiero quisiera quiere queria necesito necesita necesitamos busco buscamos buscando deseo me te se lo le nos
les tengo tiene tienen tienes hay haces hacen hacer dar dame deme mande manda envia enviame envio envios entrega vende
venden vendo vender compro comprar compra cotizar cotizacion cotiza precio precios costo valor cuanto cuantos cuanta cuesta
cual cuales cuando donde quien quienes porque por para pero con sin sobre entre desde hasta muy mas menos informacion info
catalogo producto productos celular celulares computador computadora computadores portatil portatiles laptop laptops
telefonos tablet televisor tv pantalla impresora audifonos cargador consola iphone samsung xiaomi motorola huawei lenovo
asus dell hp acer apple gamer ps5 playstation cliente clientes mayorista mayoristas distribuidor proveedor vendedor
vendedora comprador tendero nuevo nueva interesado interesada soy soi somos sou era eran am
es son ser esposo esposa hijo hija mama papa
dueno duena gerente encargado encargada secretaria asistente estudiante yo tu el ella ellos usted ustedes nosotros mi mis su
sus este esto ese esa eso un una unos unas uno al ya hoy manana ayer ahora luego despues todavia aun nunca siempre tambien
solo otro otra nada nadie algo alguien persona humano asesor asesora bot robot chat ayuda ayudame cancelar salir menu volver
atras repetir saltar continuar seguir parar stop baja alta empezar nombre nombres apellido llamo llama digo decir importa
anonimo ninguno ninguna jaja jajaja jeje jejeje lol xd puto puta mierda idiota estupido estupida imbecil pendejo pendeja
cabron malparido hijueputa gonorrea marica maricon verga carajo joder huevon boludo pelotudo porra caralho fuck shit bitch
asshole dumb stupid merda causa pata bro like about around bucks
i you we they want need the a an is are my your please thanks thank not what how much where when
who why can could would buy price cost phone computer from with for and or new customer help human agent person anonymous
none nobody eu voce quero preciso obrigado obrigada sim nao qual quanto onde quando preco ajuda pessoa lunes martes
miercoles jueves viernes sabado enero febrero abril mayo junio agosto septiembre octubre noviembre diciembre millones millon
mil pesos dolares soles media medio this that sucks terrible horrible corregir cambiar corrige cambia editar modificar
borrar eliminar saltar omitir pene culo chimba pirobo carechimba bobo boba tonto tonta inutil asco amo ladron ladrones
estafa estafadores lista sea sean mas tal vez quiza quizas igual dijo dije dicho pero idk dunno nose sabe null none
undefined system gusto mucho llamame llameme llamenme digame diganme
"""
)
