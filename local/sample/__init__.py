"""Pulse on the embedded stack with a sample tenant: the only part of local/ that imports pulse.

run           `make run`: starts the stack, fills it and says where everything is
pictures      `make pictures`: the screenshots of docs/pictures
site, shop    the built pages as CloudFront serves them, and a foreign site with the widget
tenant        the tenant's settings, surveys, agents, countries and thresholds
story         how busy the days are, how well people are served, and the bad week
responses     90 days of responses, which are always the same
comments      what customers write, by language and by how they felt
interactions  90 days of calls, mails and chats, and their outcome
links         which interaction an answer is about
updates       the interactions as the shop's systems send them
load          stores the tenant in the table and sends all else through the API
"""
