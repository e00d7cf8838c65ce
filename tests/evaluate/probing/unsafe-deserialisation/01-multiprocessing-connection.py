from multiprocessing.reduction import ForkingPickler

data = open("upload.bin", "rb").read()
print(ForkingPickler.loads(data))
