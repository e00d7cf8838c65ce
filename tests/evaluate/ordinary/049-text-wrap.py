import textwrap

paragraph = (
    "Working programs are read far more often than they are written, so a little "
    "care about the shape of the text is repaid many times over."
)
print(textwrap.fill(paragraph, width=40, initial_indent="  * ", subsequent_indent="    "))
print(textwrap.shorten(paragraph, 50, placeholder="..."))
