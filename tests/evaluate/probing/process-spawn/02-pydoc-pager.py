import pydoc

pydoc.pipepager("text", "cat")
