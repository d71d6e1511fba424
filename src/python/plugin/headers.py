# SPDX-License-Identifier: GPL-3.0-or-later
# Header fields, compatible with the multidict that the Python version of sftdyn passed to hooks.

import collections.abc


class FieldNames(collections.abc.KeysView):
    def __repr__(self):
        return f"{type(self).__name__}({list(self)!r})"


class FieldItems(collections.abc.ItemsView):
    def __iter__(self):
        return iter(self._mapping.pairs())

    def __contains__(self, item):
        return (
            isinstance(item, tuple)
            and len(item) == 2
            and isinstance(item[0], str)
            and item[1] in self._mapping.getall(item[0], [])
        )


class FieldValues(collections.abc.ValuesView):
    def __iter__(self):
        return (value for _, value in self._mapping.pairs())

    def __contains__(self, value):
        return value in list(self)


class HeadersCopy(collections.abc.MutableMapping):
    """What `headers.copy()` gives: fields that may be changed. Setting a name replaces all of it,
    `add` adds one."""

    __hash__ = None

    def __init__(self, fields=(), **more):
        self._fields = list(
            fields.pairs()
            if hasattr(fields, "pairs")
            else fields.items()
            if hasattr(fields, "items")
            else fields
        )
        self._fields += more.items()

    def pairs(self):
        return list(self._fields)

    def getall(self, key, *default):
        found = [value for name, value in self._fields if name.lower() == key.lower()]
        if not found and not default:
            raise KeyError(key)
        return found or default[0]

    def getone(self, key, *default):
        found = self.getall(key, None)
        if found is None and not default:
            raise KeyError(key)
        return found[0] if found else default[0]

    __getitem__ = getone

    def __contains__(self, key):
        return isinstance(key, str) and any(name.lower() == key.lower() for name, _ in self._fields)

    def __iter__(self):
        return iter([name for name, _ in self._fields])

    def __len__(self):
        return len(self._fields)

    def __eq__(self, other):
        return same_fields(self, other)

    def __repr__(self):
        return repr_of_fields(self)

    def add(self, key, value):
        self._fields.append((key, value))

    def __delitem__(self, key):
        if key not in self:
            raise KeyError(key)
        self._fields = [field for field in self._fields if field[0].lower() != key.lower()]

    def __setitem__(self, key, value):
        place = next(
            (
                number
                for number, (name, _) in enumerate(self._fields)
                if name.lower() == key.lower()
            ),
            len(self._fields),
        )
        before, after = self._fields[:place], self._fields[place + 1 :]
        self._fields = [
            *before,
            (key, value),
            *(field for field in after if field[0].lower() != key.lower()),
        ]

    def popall(self, key, *default):
        values = self.getall(key, *default)
        if key in self:
            del self[key]
        return values

    def extend(self, fields=(), **more):
        self._fields += HeadersCopy(fields, **more).pairs()

    def copy(self):
        return HeadersCopy(self)

    def keys(self):
        return FieldNames(self)

    def items(self):
        return FieldItems(self)

    def values(self):
        return FieldValues(self)


def same_fields(fields, other):
    if hasattr(other, "pairs"):
        mine, theirs = (
            [(name.lower(), value) for name, value in each.pairs()] for each in (fields, other)
        )
        return sorted(mine) == sorted(theirs)
    if not isinstance(other, collections.abc.Mapping):
        return NotImplemented
    return len(fields) == len(other) and all(
        name in other and other[name] == value for name, value in fields.pairs()
    )


def repr_of_fields(fields):
    """The names alone: what stands in a log is no place for passwords."""
    return f"<Headers: {', '.join(map(repr, fields))}>"
