import numpy as np

rate = 1000
time = np.arange(0, 1, 1 / rate)
signal = np.sin(2 * np.pi * 50 * time) + 0.5 * np.sin(2 * np.pi * 120 * time)
spectrum = np.abs(np.fft.rfft(signal)) / len(signal)
frequencies = np.fft.rfftfreq(len(signal), 1 / rate)
peaks = frequencies[spectrum > 0.2]
print(peaks)
