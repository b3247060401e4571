"""build_reports: daily rows → the objects of each tenant and calendar year, as far as they changed.

    build → looking (which days may have changed)
          → work → comparing (which tenants' rows of a day differ) → publishing → writing (parts)
                                                                   ↘ large (Athena makes all)
          ↘ telling (what readers do not find yet)

A large tenant's roll-ups are made by the statements that answer questions. So this stands above
pulse.serve.
"""
