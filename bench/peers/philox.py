"""graphrun's random numbers in NumPy: Philox4x32-10 and Box and Muller, as runtime/state/philox.hpp says."""

import numpy

MASK = (1 << 64) - 1
TRAINING, EVALUATION, SHUFFLE = 1, 2, 3


def _mixed(x):
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def _hash(name):
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return _mixed(value)


def _words(path, seed, domain, step, rows, columns):
    """u32 [rows, columns], the columns in fours."""
    key = _hash(path) ^ _mixed((seed + 0x9E3779B97F4A7C15) & MASK)
    low, high = numpy.uint64(0xFFFFFFFF), numpy.uint64(32)
    groups = -(-columns // 4)
    shape = (rows, groups)
    counter = [numpy.broadcast_to(numpy.arange(groups, dtype=numpy.uint64), shape),
               numpy.broadcast_to(numpy.arange(rows, dtype=numpy.uint64)[:, None], shape),
               numpy.full(shape, step, numpy.uint64), numpy.full(shape, domain, numpy.uint64)]
    keys = [key & 0xFFFFFFFF, key >> 32]
    for turn in range(10):
        first = numpy.uint64(0xD2511F53) * counter[0]
        second = numpy.uint64(0xCD9E8D57) * counter[2]
        k0 = numpy.uint64((keys[0] + turn * 0x9E3779B9) & 0xFFFFFFFF)
        k1 = numpy.uint64((keys[1] + turn * 0xBB67AE85) & 0xFFFFFFFF)
        counter = [(second >> high) ^ counter[1] ^ k0, second & low, (first >> high) ^ counter[3] ^ k1, first & low]
    return numpy.stack(counter, axis=-1).reshape(rows, 4 * groups)


def uniform(path, seed, domain, step, rows, columns):
    words = _words(path, seed, domain, step, rows, columns)[:, :columns]
    return ((words >> numpy.uint64(8)).astype(numpy.float64) * 2.0**-24).astype(numpy.float32)


def normal(path, seed, domain, step, rows, columns):
    words = _words(path, seed, domain, step, rows, columns)
    units = (words >> numpy.uint64(8)).astype(numpy.float64) * 2.0**-24
    radius = numpy.sqrt(-2 * numpy.log(units[:, 0::2] + 2.0**-24))
    angle = 2 * numpy.pi * units[:, 1::2]
    values = numpy.stack([radius * numpy.cos(angle), radius * numpy.sin(angle)], axis=-1)
    return values.reshape(rows, -1)[:, :columns].astype(numpy.float32)


def order(seed, epoch, count):
    """In which order an epoch takes its examples."""
    words = _words("examples", seed, SHUFFLE, epoch, count, 4).astype(object)
    taken = list(range(count))
    for i in range(count, 1, -1):
        value = words[i - 1][0] | (words[i - 1][1] << 32)
        if value >= i * (MASK // i):
            raise NotImplementedError("a draw in 2^50 would be drawn again")
        taken[i - 1], taken[value % i] = taken[value % i], taken[i - 1]
    return numpy.array(taken)
