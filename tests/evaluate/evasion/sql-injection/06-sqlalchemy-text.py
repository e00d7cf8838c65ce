from sqlalchemy import create_engine, text as raw

engine = create_engine("sqlite://")
with engine.connect() as link:
    who = input()
    link.execute(raw("SELECT * FROM people WHERE name = '" + who + "'"))
