import unittest


def slug(text):
    return "-".join(text.lower().split())


class SlugTest(unittest.TestCase):
    def test_spaces(self):
        self.assertEqual(slug("Hello Big World"), "hello-big-world")

    def test_empty(self):
        self.assertEqual(slug(""), "")


result = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(SlugTest))
print(result.wasSuccessful())
