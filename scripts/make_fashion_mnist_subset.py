#!/usr/bin/env python3
"""Makes data/fashion_mnist_1200 from the full Fashion-MNIST: the first 100 training and the first 20 test
images of every class, in the order of the full set, with their labels, as gzip IDX.

  scripts/make_fashion_mnist_subset.py [FOLDER OF THE FULL SET] [FOLDER TO WRITE]
"""
import gzip
import hashlib
import pathlib
import struct
import sys

CLASSES = 10
PER_CLASS = {"train": 100, "t10k": 20}
# SHA-256 of the decompressed files of the full set.
SUMS = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def read(folder, name):
    data = gzip.decompress((folder / (name + ".gz")).read_bytes())
    if hashlib.sha256(data).hexdigest() != SUMS[name]:
        sys.exit(f"{folder / name}.gz is not Fashion-MNIST's")
    return data


def write(folder, name, data):
    # No file name and no time in the header: the same data gives the same file.
    compressed = gzip.compress(data, compresslevel=9, mtime=0)
    (folder / (name + ".gz")).write_bytes(compressed)
    print(f"{hashlib.sha256(data).hexdigest()}  {name}  ({len(compressed)} bytes compressed)")


def first_of_each_class(labels, count):
    taken = [0] * CLASSES
    chosen = []
    for index, label in enumerate(labels):
        if taken[label] < count:
            taken[label] += 1
            chosen.append(index)
    assert taken == [count] * CLASSES
    return chosen


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/datasets/fashion-mnist")
    target = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else root / "data" / "fashion_mnist_1200"
    target.mkdir(parents=True, exist_ok=True)
    for split, count in PER_CLASS.items():
        images = read(source, f"{split}-images-idx3-ubyte")[16:]
        labels = read(source, f"{split}-labels-idx1-ubyte")[8:]
        chosen = first_of_each_class(labels, count)
        pixels = b"".join(images[784 * i:784 * (i + 1)] for i in chosen)
        write(target, f"{split}-images-idx3-ubyte", struct.pack(">4B3I", 0, 0, 8, 3, len(chosen), 28, 28) + pixels)
        write(target, f"{split}-labels-idx1-ubyte", struct.pack(">4BI", 0, 0, 8, 1, len(chosen))
              + bytes(labels[i] for i in chosen))


if __name__ == "__main__":
    main()
