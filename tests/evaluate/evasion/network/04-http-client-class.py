class Reporter:
    import http.client as web

    def send(self, body):
        connection = self.web.HTTPSConnection("example.com")
        connection.request("POST", "/", body)
        return connection.getresponse().status


print(Reporter().send("data"))
