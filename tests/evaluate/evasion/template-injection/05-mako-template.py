from mako.template import Template as Page

text = "${self.module.cache.util.os.getcwd()}"
print(Page(text).render())
