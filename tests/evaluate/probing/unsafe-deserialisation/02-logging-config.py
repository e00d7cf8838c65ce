import json
import logging.config

logging.config.dictConfig(json.load(open("logging.json")))
