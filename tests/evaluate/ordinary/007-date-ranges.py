from datetime import date, datetime, timedelta, timezone

start = date(2024, 1, 29)
days = [start + timedelta(days=offset) for offset in range(7)]
working = [day for day in days if day.weekday() < 5]
print([day.isoformat() for day in working])
moment = datetime(2024, 3, 1, 12, 30, tzinfo=timezone.utc)
print(moment.strftime("%Y-%m-%d %H:%M"), moment.timestamp())
print((datetime.fromisoformat("2024-12-25") - datetime(2024, 3, 1)).days)
