import statistics as st

values = [2.5, 3.1, 4.7, 5.0, 5.0, 6.2, 9.9]
print("mean", round(st.mean(values), 3))
print("median", st.median(values))
print("mode", st.mode(values))
print("stdev", round(st.stdev(values), 3))
print("quartiles", [round(q, 2) for q in st.quantiles(values, n=4)])
