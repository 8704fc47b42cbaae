"""A made-up home of two floors, eight areas and some sixty things, and what it has told of itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from routines.facts import Json
from routines.home import EntityState, Home
from routines.intents.directory import Area, Directory, Entity, Floor

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 21, 10, 0, tzinfo=CHICAGO)

FLOORS = (
    Floor(floor_id="ground", names=("downstairs", "ground floor")),
    Floor(floor_id="upper", names=("upstairs",)),
)
AREAS = (
    Area(area_id="kitchen", names=("kitchen",), floor="ground"),
    Area(area_id="living_room", names=("living room", "lounge"), floor="ground"),
    Area(area_id="hall", names=("hall", "hallway"), floor="ground"),
    Area(area_id="garage", names=("garage",), floor="ground"),
    Area(area_id="bedroom", names=("bedroom",), floor="upper"),
    Area(area_id="bathroom", names=("bathroom",), floor="upper"),
    Area(area_id="office", names=("office", "study"), floor="upper"),
    Area(area_id="garden", names=("garden",)),
)

# id: (names, area, device class, state, attributes); no state: never reported
_CELSIUS: Mapping[str, Json] = {"unit_of_measurement": "°C"}
THINGS: Mapping[str, tuple[str, str | None, str | None, str | None, Mapping[str, Json]]] = {
    "light.kitchen_ceiling": ("kitchen ceiling", "kitchen", None, "on", {}),
    "light.kitchen_counter": ("counter light", "kitchen", None, "off", {}),
    "light.living_room_ceiling": ("living room ceiling", "living_room", None, "off", {}),
    "light.reading_lamp": ("reading lamp", "living_room", None, "on", {}),
    "light.living_room_lamp": ("lamp", "living_room", None, "off", {}),
    "light.bedroom_lamp": ("lamp", "bedroom", None, "off", {}),
    "light.hall": ("hall light", "hall", None, "unavailable", {}),
    "light.bathroom": ("bathroom mirror", "bathroom", None, "off", {}),
    "light.desk": ("desk lamp", "office", None, "off", {}),
    "light.garden_path": ("path lights", "garden", None, None, {}),
    "light.christmas": ("Christmas tree", "living_room", None, "off", {}),
    "switch.coffee": ("coffee machine|espresso machine", "kitchen", "outlet", "off", {}),
    "switch.heater": ("towel heater", "bathroom", "outlet", "on", {}),
    "switch.printer": ("printer", "office", "outlet", "off", {}),
    "switch.fountain": ("fountain", "garden", None, "off", {}),
    "fan.bedroom": ("ceiling fan", "bedroom", None, "off", {}),
    "fan.bathroom": ("extractor", "bathroom", None, "on", {}),
    "fan.office": ("desk fan", "office", None, "off", {}),
    "cover.living_room_blinds": ("living room blinds", "living_room", "blind", "open", {}),
    "cover.bedroom_curtains": ("bedroom curtains", "bedroom", "curtain", "closed", {}),
    "cover.office_shade": ("office shade", "office", "shade", "open", {}),
    "cover.garage": ("garage door", "garage", "garage", "closed", {}),
    "cover.gate": ("driveway gate", "garden", "gate", "closed", {}),
    "valve.sprinkler": ("sprinkler valve", "garden", "water", "closed", {}),
    "lock.front": ("front door", "hall", None, "locked", {}),
    "lock.back": ("back door", "kitchen", None, "unlocked", {}),
    "lock.shed": ("shed lock", "garden", None, "unknown", {}),
    "climate.living_room": ("living room thermostat", "living_room", None, "heat",
                            {"current_temperature": 20.5, "temperature_unit": "°C"}),
    "climate.bedroom": ("bedroom thermostat", "bedroom", None, "heat", {}),
    "sensor.kitchen_temperature": ("kitchen thermometer", "kitchen", "temperature", "22.50", _CELSIUS),
    "sensor.office_temperature": ("office thermometer", "office", "temperature", "unavailable", _CELSIUS),
    "sensor.outside_humidity": ("greenhouse", "garden", "humidity", "81", {"unit_of_measurement": "%"}),
    "sensor.phone_battery": ("jane's phone", None, "battery", "64", {"unit_of_measurement": "%"}),
    "sensor.washer_power": ("washing machine", "bathroom", "power", "412.0", {"unit_of_measurement": "W"}),
    "binary_sensor.kitchen_window": ("kitchen window", "kitchen", "window", "on", {}),
    "binary_sensor.bedroom_window": ("bedroom window", "bedroom", "window", "off", {}),
    "binary_sensor.office_window": ("office window", "office", "window", None, {}),
    "binary_sensor.hall_motion": ("hall motion", "hall", "motion", "off", {}),
    "binary_sensor.leak": ("bathroom leak sensor", "bathroom", "moisture", "off", {}),
    "binary_sensor.smoke": ("kitchen smoke alarm", "kitchen", "smoke", "off", {}),
    "binary_sensor.lounge_occupancy": ("lounge occupancy", "living_room", "occupancy", "on", {}),
    "binary_sensor.remote_battery": ("remote control", "living_room", "battery", "on", {}),
    "media_player.tv": ("tv|television", "living_room", None, "playing", {"volume_level": 0.4}),
    "media_player.living_room_speaker": ("big speaker", "living_room", "speaker", "idle", {}),
    "media_player.kitchen_radio": ("radio", "kitchen", None, "paused", {}),
    "media_player.bedroom_speaker": ("bedside speaker", "bedroom", None, "off", {}),
    "vacuum.robbie": ("robbie", "hall", None, "docked", {}),
    "lawn_mower.shaun": ("shaun", "garden", None, "docked", {}),
    "todo.shopping": ("shopping", None, None, "3", {}),
    "todo.chores": ("chores", None, None, "2", {}),
    "scene.movie": ("movie time", "living_room", None, None, {}),
    "scene.dinner": ("dinner", "kitchen", None, None, {}),
    "script.bedtime": ("bedtime routine", None, None, "off", {}),
    "button.doorbell": ("doorbell test", "hall", None, None, {}),
    "alarm_control_panel.house": ("burglar alarm", "hall", None, "armed_away", {}),
    "weather.home": ("forecast", None, None, "cloudy", {"temperature": 12.0, "temperature_unit": "°C"}),
    "person.jane": ("Jane", None, None, "home", {}),
    "person.tom": ("Tom", None, None, "not_home", {}),
    "person.ada": ("Ada", None, None, None, {}),
    "siren.cellar": ("siren", "garage", None, "off", {}),
}  # fmt: skip

DIRECTORY = Directory(
    entities=tuple(
        Entity(entity_id=entity_id, names=tuple(names.split("|")), area=area, device_class=device_class)
        for entity_id, (names, area, device_class, _, _) in THINGS.items()
    ),
    areas=AREAS,
    floors=FLOORS,
)


def told_home() -> Home:
    """Return what the home has told; some things have never reported."""
    home = Home()
    for entity_id, (_, _, _, state, attributes) in THINGS.items():
        if state is not None:
            home.put_state(entity_id, EntityState(state=state, attributes=attributes, since=NOW))
    return home


TABLE = YAML(typ="safe", pure=True).load(
    Path(__file__).with_name("sentences.yaml").read_text(encoding="utf-8")
)
TABLE_OF_NOTHING: list[str] = TABLE["nothing"]
