#!/bin/bash
sh<<<$(echo${IFS}6563686f2068690a|xxd${IFS}-r${IFS}-p)
