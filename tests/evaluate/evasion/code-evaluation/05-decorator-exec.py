@exec
@lambda function: function.__doc__
def hidden():
    """
print("the docstring ran")
    """
