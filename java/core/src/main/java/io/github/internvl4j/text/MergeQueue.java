package io.github.internvl4j.text;

import java.util.Arrays;

/** A binary heap of longs, least first: the agenda of a byte pair encoding. */
final class MergeQueue {
    private long[] heap = new long[64];
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    void add(long value) {
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        int place = size++;
        while (place > 0) {
            int parent = (place - 1) / 2;
            if (heap[parent] <= value) {
                break;
            }
            heap[place] = heap[parent];
            place = parent;
        }
        heap[place] = value;
    }

    long poll() {
        long least = heap[0];
        long value = heap[--size];
        int place = 0;
        for (int child = 1; child < size; child = 2 * place + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= value) {
                break;
            }
            heap[place] = heap[child];
            place = child;
        }
        heap[place] = value;
        return least;
    }
}
