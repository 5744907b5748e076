#!/usr/bin/env python3
"""Generates TopLevelDomains.swift from twitter-text's conformance/tlds.yml: domains.py TLDS.YML > TopLevelDomains.swift"""
import re
import sys
import textwrap

text = open(sys.argv[1], encoding="utf-8").read()
names = sorted(set(re.findall(r"text: https://twitter\.(\S+)", text)))
plain = [name for name in names if name.isascii()]
others = [name for name in names if not name.isascii()]


def lines(words, width):
    return "\n".join("        " + line + " \\" for line in textwrap.wrap(" ".join(words), width))[:-2]


print(
    f'''// Made from twitter-text's conformance/tlds.yml (github.com/twitter/twitter-text) by Tools/domains.py. Do not edit.

/// The top-level domains that twitter-text knows: {len(names)} of countries and others.
enum TopLevelDomains {{
    static let ascii = """
{lines(plain, 108)}
        """

    static let others = """
{lines(others, 70)}
        """
}}'''
)
