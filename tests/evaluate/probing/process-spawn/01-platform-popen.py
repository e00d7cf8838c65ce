import multiprocessing as mp

context = mp.get_context("fork")
context.Process(target=print, args=("child",)).start()
