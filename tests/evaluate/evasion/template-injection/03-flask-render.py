from flask import Flask, render_template_string as show, request

app = Flask(__name__)


@app.route("/")
def index():
    return show(f"<p>{request.args['q']}</p>")
