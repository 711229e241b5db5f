package io.github.internvl4j.tensor;

import java.util.Comparator;
import java.util.List;

/**
 * The order in which a model computes its activations: vision embeddings, vision layers by number, pixel shuffle,
 * projector, decoder embeddings, decoder layers by number, decoder norm, logits, then everything else by name. Names
 * that share a prefix up to the last {@code /} ({@code image.0/projector}) stay together, prefixes in their own order.
 */
final class ActivationOrder implements Comparator<String> {
    static final ActivationOrder INSTANCE = new ActivationOrder();

    private static final List<String> STAGES = List.of(
            "vision.embeddings",
            "vision.layers.",
            "vision.pixel_shuffle",
            "projector",
            "decoder.embeddings",
            "decoder.layers.",
            "decoder.norm",
            "logits");

    private ActivationOrder() {}

    @Override
    public int compare(String a, String b) {
        int slashA = a.lastIndexOf('/') + 1;
        int slashB = b.lastIndexOf('/') + 1;
        int byPrefix = naturally(a.substring(0, slashA), b.substring(0, slashB));
        if (byPrefix != 0) {
            return byPrefix;
        }
        String nameA = a.substring(slashA);
        String nameB = b.substring(slashB);
        int byStage = Integer.compare(stage(nameA), stage(nameB));
        return byStage != 0 ? byStage : naturally(nameA, nameB);
    }

    private static int stage(String name) {
        for (int i = 0; i < STAGES.size(); i++) {
            String stage = STAGES.get(i);
            if (stage.endsWith(".") ? name.startsWith(stage) : name.equals(stage)) {
                return i;
            }
        }
        return STAGES.size();
    }

    /** By characters, except that runs of digits compare as numbers: layer 2 comes before layer 10. */
    private static int naturally(String a, String b) {
        int i = 0;
        int j = 0;
        while (i < a.length() && j < b.length()) {
            int endA = digitsEnd(a, i);
            int endB = digitsEnd(b, j);
            int order;
            if (endA > i && endB > j) {
                String numberA = a.substring(i, endA).replaceFirst("^0+", "");
                String numberB = b.substring(j, endB).replaceFirst("^0+", "");
                order = Integer.compare(numberA.length(), numberB.length());
                order = order != 0 ? order : numberA.compareTo(numberB);
                i = endA;
                j = endB;
            } else {
                order = Character.compare(a.charAt(i++), b.charAt(j++));
            }
            if (order != 0) {
                return order;
            }
        }
        int rest = Integer.compare(a.length() - i, b.length() - j);
        return rest != 0 ? rest : a.compareTo(b); // "01" and "1" are not the same name
    }

    private static int digitsEnd(String text, int from) {
        int end = from;
        while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
            end++;
        }
        return end;
    }
}
