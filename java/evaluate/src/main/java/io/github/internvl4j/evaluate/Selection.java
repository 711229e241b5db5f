package io.github.internvl4j.evaluate;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which samples of a benchmark are asked. Immutable; a wither gives a changed copy. */
public final class Selection {
    private static final Selection ALL = new Selection(Set.of(), 0, 0, 1);

    private final Set<String> ids;
    private final int limit;
    private final int shard;
    private final int shards;

    private Selection(Set<String> ids, int limit, int shard, int shards) {
        this.ids = ids;
        this.limit = limit;
        this.shard = shard;
        this.shards = shards;
    }

    /** All of them. */
    public static Selection all() {
        return ALL;
    }

    /** Only these; empty: all. */
    public Selection ids(Set<String> value) {
        return new Selection(Set.copyOf(value), limit, shard, shards);
    }

    /**
     * Only so many from the start; 0: all.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public Selection limit(int value) {
        if (value < 0) {
            throw new IllegalArgumentException("limit is " + value + ", expected 0 or more");
        }
        return new Selection(ids, value, shard, shards);
    }

    /**
     * Only one of several equal parts, each without gaps, as the original shares them out: the first ones have one more.
     *
     * @param index from 0
     * @throws IllegalArgumentException if there is no such part
     */
    public Selection shard(int index, int count) {
        if (count < 1 || index < 0 || index >= count) {
            throw new IllegalArgumentException(
                    "shard is " + index + "/" + count + ", expected 0/" + count + " to " + (count - 1) + "/" + count);
        }
        return new Selection(ids, limit, index, count);
    }

    /** Whether some samples are left out. */
    public boolean isPartial() {
        return !ids.isEmpty() || limit > 0 || shards > 1;
    }

    /** The selected ones, in order. */
    public List<Sample> of(List<Sample> samples) {
        List<Sample> chosen = samples.stream()
                .filter(sample -> ids.isEmpty() || ids.contains(sample.id()))
                .limit(limit == 0 ? Long.MAX_VALUE : limit)
                .toList();
        int size = chosen.size() / shards;
        int more = chosen.size() % shards;
        int start = shard * size + Math.min(shard, more);
        return chosen.subList(start, start + size + (shard < more ? 1 : 0));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Selection that
                && ids.equals(that.ids)
                && limit == that.limit
                && shard == that.shard
                && shards == that.shards;
    }

    @Override
    public int hashCode() {
        return Objects.hash(ids, limit, shard, shards);
    }

    @Override
    public String toString() {
        return "Selection[ids=" + ids + ", limit=" + limit + ", shard=" + shard + "/" + shards + "]";
    }
}
