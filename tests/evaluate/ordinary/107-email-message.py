from email import message_from_string
from email.message import EmailMessage

message = EmailMessage()
message["Subject"] = "Weekly report"
message["From"] = "robot@example.com"
message["To"] = "team@example.com"
message.set_content("All green.\n")
message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="data.csv")
parsed = message_from_string(message.as_string())
print(parsed["subject"], [part.get_filename() for part in parsed.walk() if part.get_filename()])
