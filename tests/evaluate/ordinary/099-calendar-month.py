import calendar

print(calendar.month(2024, 2))
print(calendar.isleap(2024), calendar.monthrange(2023, 2)[1])
fridays = [week[calendar.FRIDAY] for week in calendar.monthcalendar(2024, 9) if week[calendar.FRIDAY]]
print(fridays)
