import os
import shutil

print(os.cpu_count(), shutil.disk_usage("."), os.getloadavg(), os.sysconf("SC_PHYS_PAGES"))
