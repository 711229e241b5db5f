package io.github.internvl4j.text;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** Fragments one after the other. Neighbours that are no added tokens become one, since a text is encoded as a whole. */
final class FragmentList {
    private final List<Fragment> fragments = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    /** Of the text that waits; what is literal in a part is so in the whole. */
    private boolean literal;

    void add(Fragment next) {
        if (next.token() == null) {
            text.append(next.text());
            literal |= next.literal();
        } else {
            endText();
            fragments.add(next);
        }
    }

    private void endText() {
        if (text.length() > 0) {
            fragments.add(Fragment.text(text.toString(), literal));
        }
        text.setLength(0);
        literal = false;
    }

    /** What was added, each text as {@code prepare} changes it. */
    List<Fragment> toList(UnaryOperator<String> prepare) {
        endText();
        fragments.replaceAll(
                part -> part.token() == null ? Fragment.text(prepare.apply(part.text()), part.literal()) : part);
        return fragments;
    }
}
