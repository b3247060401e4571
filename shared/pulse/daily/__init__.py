"""The stage build_daily: it makes the daily tables of the days whose events have changed.

    build → standing (what has changed) → portions → a statement of sql/daily/ → counts → publish
          ↘ comments      (what customers wrote, by tenant and month)

build.py goes through the tables; work.py has the days of one of them in a run. The table of
experience is made of two streams: experience.py says of which days.
"""
