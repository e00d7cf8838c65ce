source = ")'olleh'(tnirp"
exec(source[::-1])
