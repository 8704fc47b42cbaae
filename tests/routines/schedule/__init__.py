"""Where the expected values of these tests come from.

``forward_clock``
    Time zones, the safe way round: from instants to the clock on the wall, which is never in doubt. Every
    minute of the days on which a zone changes its clocks is converted, and what the clock then shows is
    looked up. Wall-clock times, time patterns and cron times are all checked against that by trying every
    minute.
The tables of Home Assistant
    What its own search gave for four cases of daylight saving, and what we do instead.
PyEphem
    Another program's sun (libastro), searched for its crossings of the horizon.
"""
