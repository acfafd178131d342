"""Cities that customers of Latin America name, by country: a gazetteer, not a map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from babel import Locale
from rapidfuzz import fuzz, process

from nlu.entities.words import fold
from nlu.normalise import sound


class City(NamedTuple):
    name: str
    country: str
    """ISO 3166-1 alpha-2."""


_BY_COUNTRY = {
    "CO": (
        "Bogotá, Medellín, Cali, Barranquilla, Cartagena, Cúcuta, Bucaramanga, Pereira, Santa Marta, Ibagué, Manizales, "
        "Villavicencio, Neiva, Armenia, Pasto, Montería, Sincelejo, Popayán, Valledupar, Tunja, Riohacha, Quibdó, "
        "Florencia, Soacha, Bello, Itagüí, Envigado, Rionegro, Chía, Zipaquirá, Palmira, Buenaventura, Tuluá, Girardot, "
        "Sogamoso, Duitama, Yopal, Leticia, San Andrés, Barrancabermeja, Floridablanca, Dosquebradas, Cajicá, Mosquera, "
        "Cartago, Tumaco, Maicao, Ipiales, Apartadó"
    ),
    "MX": (
        "Ciudad de México, Guadalajara, Monterrey, Puebla, Tijuana, Ciudad Juárez, Zapopan, Mérida, San Luis Potosí, "
        "Aguascalientes, Hermosillo, Saltillo, Mexicali, Culiacán, Acapulco, Cancún, Querétaro, Chihuahua, Morelia, "
        "Toluca, Veracruz, Xalapa, Tampico, Cuernavaca, Oaxaca, Villahermosa, Tuxtla Gutiérrez, Mazatlán, Torreón, "
        "Durango, Pachuca, Tlaxcala, Colima, Zacatecas, Campeche, Playa del Carmen, Puerto Vallarta, Ensenada, Reynosa, "
        "León, Irapuato, Celaya, Manzanillo, Lázaro Cárdenas, Altamira, La Paz, Los Cabos, Tepic, Coatzacoalcos, Nuevo "
        "Laredo"
    ),
    "PE": (
        "Lima, Arequipa, Trujillo, Chiclayo, Piura, Cusco, Iquitos, Huancayo, Tacna, Pucallpa, Chimbote, Ica, Juliaca, "
        "Cajamarca, Ayacucho, Callao, Puno, Paita, Matarani, Huánuco, Tarapoto, Moquegua, Tumbes"
    ),
    "CL": (
        "Santiago, Valparaíso, Viña del Mar, Concepción, Antofagasta, La Serena, Temuco, Rancagua, Iquique, Puerto Montt, "
        "Talca, Arica, Chillán, Calama, Copiapó, Osorno, Valdivia, Punta Arenas, Coquimbo, San Antonio, Curicó"
    ),
    "AR": (
        "Buenos Aires, Córdoba, Rosario, Mendoza, La Plata, Mar del Plata, Tucumán, Salta, Santa Fe, San Juan, "
        "Resistencia, Corrientes, Posadas, Neuquén, Bahía Blanca, Paraná, Santiago del Estero, Jujuy, Bariloche, Ushuaia, "
        "Quilmes, Río Cuarto, Comodoro Rivadavia, Formosa, San Luis, Catamarca, La Rioja, Concordia, Zárate"
    ),
    "EC": (
        "Quito, Guayaquil, Cuenca, Ambato, Manta, Loja, Machala, Riobamba, Portoviejo, Esmeraldas, Ibarra, Santo Domingo, Durán"
    ),
    "VE": (
        "Caracas, Maracaibo, Valencia, Barquisimeto, Maracay, Ciudad Guayana, San Cristóbal, Barcelona, Maturín, Mérida, "
        "Puerto Cabello, La Guaira, Cumaná, Barinas, San Fernando de Apure"
    ),
    "BO": "La Paz, Santa Cruz, Cochabamba, Sucre, Oruro, Tarija, Potosí, El Alto, Trinidad",
    "PY": "Asunción, Ciudad del Este, Encarnación, Luque, Concepción",
    "UY": "Montevideo, Punta del Este, Maldonado, Paysandú, Colonia, Rivera",
    "CR": "San José, Alajuela, Heredia, Cartago, Liberia, Limón",
    "PA": "Ciudad de Panamá, Colón, David, Balboa, Manzanillo, Santiago de Veraguas",
    "GT": "Ciudad de Guatemala, Quetzaltenango, Antigua Guatemala, Puerto Barrios, Puerto Quetzal, Escuintla",
    "SV": "San Salvador, Santa Ana, San Miguel",
    "HN": "Tegucigalpa, San Pedro Sula, La Ceiba, Puerto Cortés, Choluteca",
    "NI": "Managua, León, Granada, Estelí, Chinandega, Corinto, Masaya",
    "DO": (
        "Santo Domingo, Santiago de los Caballeros, Punta Cana, La Romana, Santiago, Puerto Plata, San Pedro de Macorís, Caucedo"
    ),
    "PR": "San Juan, Ponce, Mayagüez",
    "CU": "La Habana, Camagüey, Holguín, Santiago de Cuba, Santa Clara, Cienfuegos",
    "BR": (
        "São Paulo, Rio de Janeiro, Belo Horizonte, Brasília, Salvador, Fortaleza, Curitiba, Recife, Porto Alegre, "
        "Manaus, Belém, Goiânia, Campinas, São Luís, Maceió, Natal, Campo Grande, Teresina, João Pessoa, Florianópolis, "
        "Cuiabá, Aracaju, Vitória, Santos, Ribeirão Preto, Uberlândia, Joinville, Londrina, Guarulhos, Niterói, Sorocaba"
    ),
    "US": "Miami, Nueva York, New York, Houston, Los Ángeles, Orlando, Chicago, Dallas, San Antonio",
    "ES": (
        "Madrid, Barcelona, Valencia, Sevilla, Málaga, Bilbao, Zaragoza, Córdoba, Granada, León, Cartagena, Toledo, Vigo, "
        "La Coruña, Algeciras, Cádiz, Murcia, Alicante, Palma de Mallorca, Las Palmas, Valladolid, Salamanca, San "
        "Sebastián, Cuenca"
    ),
}
_PORTS = {
    "CN": (
        "Shanghai, Shenzhen, Ningbo, Guangzhou, Yiwu, Qingdao, Xiamen, Tianjin, Dalian, Foshan, Dongguan, Hangzhou, "
        "Suzhou, Pekín, Beijing, Cantón, Zhongshan, Fuzhou, Nansha, Yantian, Shantou, Wenzhou"
    ),
    "HK": "Hong Kong",
    "TW": "Kaohsiung, Taipei, Keelung",
    "KR": "Busan, Incheon, Seúl, Seoul",
    "JP": "Tokio, Tokyo, Yokohama, Osaka, Kobe, Nagoya",
    "SG": "Singapur, Singapore",
    "MY": "Port Klang, Kuala Lumpur",
    "TH": "Bangkok, Laem Chabang",
    "VN": "Ho Chi Minh, Haiphong, Hanói",
    "IN": "Mumbai, Nhava Sheva, Chennai, Nueva Delhi, Mundra",
    "ID": "Yakarta",
    "AE": "Dubai, Jebel Ali",
    "TR": "Estambul, Istanbul, Mersin",
    "IL": "Haifa, Ashdod",
    "EG": "Alejandría, Alexandria, Port Said",
    "MA": "Casablanca, Tánger",
    "ZA": "Durban, Ciudad del Cabo",
    "NL": "Rotterdam, Róterdam, Amsterdam",
    "BE": "Amberes, Antwerp",
    "DE": "Hamburgo, Hamburg, Bremerhaven, Fráncfort, Frankfurt",
    "FR": "El Havre, Le Havre, Marsella, París",
    "IT": "Génova, Genoa, Milán, Livorno, La Spezia, Nápoles, Roma",
    "PT": "Lisboa, Lisbon, Sines, Oporto, Leixões",
    "GB": "Londres, London, Felixstowe, Southampton",
    "PL": "Gdansk",
    "GR": "El Pireo",
    "AU": "Sydney, Sídney, Melbourne",
    "CA": "Toronto, Montreal, Vancouver, Halifax",
    "US": (
        "Long Beach, Savannah, Charleston, Nueva Orleans, New Orleans, Norfolk, Baltimore, Jacksonville, Port Everglades, "
        "Newark, Oakland, Seattle, Atlanta, Laredo"
    ),
    "BR": "Paranaguá, Itajaí, Navegantes, Itapoá, Vitória, Suape, Pecém, Rio Grande",
    "JM": "Kingston",
    "BS": "Freeport",
    "TT": "Puerto España",
    "CW": "Curazao, Willemstad",
    "CR": "Moín, Puerto Limón, Caldera",
    "SV": "Acajutla",
}  # fmt: skip
"""Where cargo comes from and goes to: known only where a place was asked for, since nobody's sentence turns on them."""
_OTHER_NAMES = {
    "Shanghai": "shangai",
    "Guangzhou": "guangzou",
    "Hong Kong": "hongkong, hk",
    "Ho Chi Minh": "ho chi minh city, saigon",
    "Santiago de los Caballeros": "santiago de los 30 caballeros",
    "Valparaíso": "valpo",
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
    "Esmeraldas, Liberia, San Juan, Durango, Trinidad, Sucre, Cali, Ica, Manta, Tacna, Kennedy, Suba, Usme, Bosa, La Candelaria, "
    "Trujillo, Mérida, Toledo, Salamanca, Murcia, Zárate, Sevilla, Cuenca, San Sebastián, Balboa, Concordia, Altamira, Corinto, "
    "Santa Clara, San Luis, Formosa, Cartago, Manzanillo, San Antonio, Cádiz, Vigo"
)
UNSURE = frozenset(fold(name.strip()) for name in _UNSURE.split(","))
"""Cities whose name is a surname, a given name or a common word too: only after "en", "desde", "para" …"""


def _index(places: Mapping[str, str]) -> dict[str, list[City]]:
    index: dict[str, list[City]] = {}
    for country, names in places.items():
        for name in names.split(","):
            city = name.strip()
            for written in (city, *_OTHER_NAMES.get(city, "").split(", ")):
                if written:
                    index.setdefault(fold(written), []).append(City(city, country))
    return index


CITIES: Mapping[str, Sequence[City]] = _index(_BY_COUNTRY)
"""{folded name: cities}: several share a name."""
_OF_THE_WORLD = _index(_PORTS)
_PLACES: dict[str, Sequence[City]] = {
    written: [*CITIES.get(written, ()), *_OF_THE_WORLD.get(written, ())] for written in (*CITIES, *_OF_THE_WORLD)
}
"""The same with the ports of the world."""
_BY_EAR: Mapping[str, str] = {sound(written): written for written in reversed(_PLACES) if len(written) > 3}
COUNTRIES: Mapping[str, str] = {
    fold(str(names[code])): code
    for names in (Locale.parse(language).territories for language in ("es", "en", "pt"))
    for code in {*_BY_COUNTRY, *_PORTS}
} | {
    "usa": "US", "eeuu": "US", "ee uu": "US", "eua": "US", "uk": "GB", "inglaterra": "GB", "holanda": "NL", "korea": "KR",
    "corea": "KR",
}  # fmt: skip
"""{folded name: ISO 3166-1 code} of the countries whose cities are known."""
_LIKE, _LEAD = 84, 4
"""Likeness (0-100) that a slip must keep, and its lead over any other city."""


def cities_of(folded: str, country: str, *, ports: bool = False) -> Sequence[City]:
    """The cities of that exact name: the country's own alone where it has one. `ports`: those of the world, too."""
    cities = (_PLACES if ports else CITIES).get(folded, ())
    return [city for city in cities if city.country == country][:1] or cities


def likely_cities(folded: str, country: str) -> Sequence[City]:
    """The cities that are meant by a name alone, also by ear and with a slip, or with the name of their country behind it."""
    exact = cities_of(folded, country, ports=True)
    name, there = split_country(folded)
    if folded in COUNTRIES:  # "China" is no slip of "Chía"
        return exact
    if exact or not there:
        return exact or _likely(folded, country)
    return [city for city in _likely(name, there) if city.country == there]


def split_country(folded: str) -> tuple[str, str]:
    """ "cordoba argentina" → ("cordoba", "AR"); the country is "" where none stands behind the name."""
    words = folded.split(" ")
    for length in (1, 2):
        code = COUNTRIES.get(" ".join(words[-length:])) if len(words) > length else None
        if code is not None:
            return " ".join(words[:-length]), code
    return folded, ""


def _likely(name: str, country: str) -> Sequence[City]:
    if exact := cities_of(name, country, ports=True):
        return exact
    if heard := _BY_EAR.get(sound(name)):
        return cities_of(heard, country, ports=True)
    if not 5 <= len(name) <= 24:
        return ()
    close = process.extract(name, _PLACES.keys(), scorer=fuzz.ratio, score_cutoff=_LIKE, limit=2)
    if not close or (len(close) > 1 and close[0][1] - close[1][1] < _LEAD) or close[0][0][0] != name[0]:
        return ()
    return cities_of(close[0][0], country, ports=True)


@cache
def country_name(code: str, language: str) -> str:
    """The country of an ISO 3166-1 code, as the language calls it."""
    return str(Locale.parse(language).territories[code])
