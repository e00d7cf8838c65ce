import ipaddress

network = ipaddress.ip_network("10.20.0.0/22")
print(network.num_addresses, network.netmask)
for text in ("10.20.1.7", "10.21.0.1"):
    print(text, ipaddress.ip_address(text) in network)
print([str(subnet) for subnet in network.subnets(new_prefix=24)])
