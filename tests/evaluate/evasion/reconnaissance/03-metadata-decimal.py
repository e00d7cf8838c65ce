address = "http://" + ".".join(map(str, (169, 254, 169, 254))) + "/latest/meta-data/"
from urllib import request as r

print(r.urlopen(address).read())
