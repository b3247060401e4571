"""Pulse on the embedded stack with a sample tenant: the only part of local/ that imports pulse.

run         `make run`: starts the stack, fills it and says where everything is
pictures    `make pictures`: the screenshots of docs/pictures
site, shop  the built pages as CloudFront serves them, and a foreign site with the widget
tenant      settings, surveys, agents, countries: who serves whom, and what was promised
story       how busy the days are, how well people are served, and the bad week
responses   90 days of answers, made up the same way every time
contacts    90 days of calls, mails and chats, and what came of them
updates     the contacts as the shop's systems send them
load        the tenant into the table, all else through the API
"""
