"""The sample tenant of the embedded stack: who it is, what its customers went through.

tenant      settings, surveys, agents, countries: who serves whom, and what was promised
story       how busy the days are, how well people are served, and the bad week
responses   90 days of answers, made up the same way every time
contacts    90 days of calls, mails and chats, and what came of them
updates     the contacts as the shop's systems send them
load        the tenant into the table, all else through the API
"""
