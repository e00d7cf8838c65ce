class Settings:
    database = "postgresql://admin:Sup3rS3cret!@db.internal/prod"
    db_password = "Sup3rS3cret!"


print(Settings.database)
