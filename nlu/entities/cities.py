"""Cities that customers of Latin America name, by country: a gazetteer, not a map."""

from __future__ import annotations

from collections.abc import Mapping

from nlu.entities.words import fold

_BY_COUNTRY = {
    "CO": (
        "Bogotá, Medellín, Cali, Barranquilla, Cartagena, Cúcuta, Bucaramanga, Pereira, Santa Marta, Ibagué, Manizales, "
        "Villavicencio, Neiva, Armenia, Pasto, Montería, Sincelejo, Popayán, Valledupar, Tunja, Riohacha, Quibdó, Florencia, "
        "Soacha, Bello, Itagüí, Envigado, Rionegro, Chía, Zipaquirá, Palmira, Buenaventura, Tuluá, Girardot, Sogamoso, Duitama, "
        "Yopal, Leticia, San Andrés, Barrancabermeja, Floridablanca, Dosquebradas, Cajicá, Mosquera"
    ),
    "MX": (
        "Ciudad de México, Guadalajara, Monterrey, Puebla, Tijuana, Ciudad Juárez, Zapopan, Mérida, San Luis Potosí, "
        "Aguascalientes, Hermosillo, Saltillo, Mexicali, Culiacán, Acapulco, Cancún, Querétaro, Chihuahua, Morelia, Toluca, "
        "Veracruz, Xalapa, Tampico, Cuernavaca, Oaxaca, Villahermosa, Tuxtla Gutiérrez, Mazatlán, Torreón, Durango, Pachuca, "
        "Tlaxcala, Colima, Zacatecas, Campeche, Playa del Carmen, Puerto Vallarta, Ensenada, Reynosa"
    ),
    "PE": (
        "Lima, Arequipa, Trujillo, Chiclayo, Piura, Cusco, Iquitos, Huancayo, Tacna, Pucallpa, Chimbote, Ica, Juliaca, "
        "Cajamarca, Ayacucho, Callao, Puno"
    ),
    "CL": (
        "Santiago, Valparaíso, Viña del Mar, Concepción, Antofagasta, La Serena, Temuco, Rancagua, Iquique, Puerto Montt, "
        "Talca, Arica, Chillán, Calama, Copiapó, Osorno, Valdivia, Punta Arenas, Coquimbo"
    ),
    "AR": (
        "Buenos Aires, Córdoba, Rosario, Mendoza, La Plata, Mar del Plata, Tucumán, Salta, Santa Fe, San Juan, Resistencia, "
        "Corrientes, Posadas, Neuquén, Bahía Blanca, Paraná, Santiago del Estero, Jujuy, Bariloche, Ushuaia, Quilmes, Río "
        "Cuarto"
    ),
    "EC": (
        "Quito, Guayaquil, Cuenca, Ambato, Manta, Loja, Machala, Riobamba, Portoviejo, Esmeraldas, Ibarra, Santo Domingo, Durán"
    ),
    "VE": "Caracas, Maracaibo, Valencia, Barquisimeto, Maracay, Ciudad Guayana, San Cristóbal, Barcelona, Maturín",
    "BO": "La Paz, Santa Cruz, Cochabamba, Sucre, Oruro, Tarija, Potosí, El Alto",
    "PY": "Asunción, Ciudad del Este, Encarnación, Luque",
    "UY": "Montevideo, Punta del Este, Maldonado, Paysandú, Colonia, Rivera",
    "CR": "San José, Alajuela, Heredia, Cartago, Liberia, Limón",
    "PA": "Ciudad de Panamá, Colón, David",
    "GT": "Ciudad de Guatemala, Quetzaltenango, Antigua Guatemala",
    "SV": "San Salvador, Santa Ana, San Miguel",
    "HN": "Tegucigalpa, San Pedro Sula, La Ceiba",
    "NI": "Managua, León, Granada, Estelí",
    "DO": "Santo Domingo, Santiago de los Caballeros, Punta Cana, La Romana",
    "PR": "San Juan, Ponce, Mayagüez",
    "CU": "La Habana, Camagüey, Holguín",
    "BR": (
        "São Paulo, Rio de Janeiro, Belo Horizonte, Brasília, Salvador, Fortaleza, Curitiba, Recife, Porto Alegre, Manaus, "
        "Belém, Goiânia, Campinas, São Luís, Maceió, Natal, Campo Grande, Teresina, João Pessoa, Florianópolis, Cuiabá, "
        "Aracaju, Vitória, Santos, Ribeirão Preto, Uberlândia, Joinville, Londrina, Guarulhos, Niterói, Sorocaba"
    ),
    "US": "Miami, Nueva York, New York, Houston, Los Ángeles, Orlando, Chicago, Dallas, San Antonio",
    "ES": "Madrid, Barcelona, Valencia, Sevilla, Málaga, Bilbao, Zaragoza",
}
_OTHER_NAMES = {
    "Ciudad de México": "cdmx, df, mexico df, mexico city",
    "Ciudad de Panamá": "panama city",
    "Ciudad de Guatemala": "guatemala city",
    "Buenos Aires": "caba, capital federal, bs as, bsas",
    "Bogotá": (
        "bta, santafe de bogota, bogota dc, bogota d.c, usaquen, chapinero, usme, tunjuelito, bosa, kennedy, fontibon, "
        "engativa, suba, barrios unidos, teusaquillo, los martires, antonio narino, puente aranda, la candelaria, rafael uribe, "
        "ciudad bolivar"
    ),
    "Medellín": "medallo",
    "Barranquilla": "quilla",
    "Guadalajara": "gdl",
    "Monterrey": "mty",
    "Rio de Janeiro": "rio",
    "São Paulo": "sampa",
    "San Miguel de Tucumán": "san miguel de tucuman",
}
_UNSURE = (
    "Natal, Colonia, David, Limón, Granada, León, Santos, Rivera, Mosquera, Bello, Colón, Armenia, Ibarra, Florencia, "
    "Valencia, Barcelona, Libertad, Rosario, Mercedes, Salvador, Victoria, Vitória, Rio, Quilla, Df, Loja, Santa Ana, San "
    "Miguel, San José, Antigua Guatemala, Encarnación, Asunción, Concepción, Mendoza, Córdoba, Santiago, Durán, Lima, "
    "Esmeraldas, Liberia, San Juan, Durango, Trinidad, Sucre, Cali, Ica, Manta, Tacna, Kennedy, Suba, Usme, Bosa, La Candelaria"
)
UNSURE = frozenset(fold(name.strip()) for name in _UNSURE.split(","))
"""Cities whose name is a surname, a given name or a common word too: only after "en", "desde", "para" …"""


def _index() -> Mapping[str, tuple[tuple[str, str], ...]]:
    index: dict[str, list[tuple[str, str]]] = {}
    for country, names in _BY_COUNTRY.items():
        for name in names.split(","):
            city = name.strip()
            for written in (city, *_OTHER_NAMES.get(city, "").split(", ")):
                if written:
                    index.setdefault(fold(written), []).append((city, country))
    return {written: tuple(cities) for written, cities in index.items()}


CITIES: Mapping[str, tuple[tuple[str, str], ...]] = _index()
"""{folded name: ((city, country), …)}: several cities share a name."""


def city_of(folded: str, country: str) -> str | None:
    """The city of that exact name; the country's own first."""
    cities = CITIES.get(folded)
    if not cities:
        return None
    return next((city for city, of in cities if of == country), cities[0][0])
