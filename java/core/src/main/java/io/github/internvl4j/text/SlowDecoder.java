package io.github.internvl4j.text;

/**
 * Decodes as {@code PreTrainedTokenizer._decode}: tokens that stand alone are texts of their own, the runs between them
 * are decoded one by one, and all of it is joined.
 */
final class SlowDecoder extends TokenDecoder {
    private final SlowTokenizer tokenizer;
    private final SlowRules rules;
    private final boolean skipSpecial;

    /** Decodes the tokens since the last separate one; a new one for every run, as spaces at its start may go. */
    private RunDecoder run;

    private boolean runHasTokens;
    private boolean runHasText;
    /** Whether something stands before the current run, so that the separator comes between. */
    private boolean partBefore;

    SlowDecoder(SlowTokenizer tokenizer, boolean skipSpecial) {
        super(tokenizer, skipSpecial, tokenizer.rules().cleansUpSpaces());
        this.tokenizer = tokenizer;
        this.rules = tokenizer.rules();
        this.skipSpecial = skipSpecial;
        this.run = rules.newRun(!skipSpecial);
    }

    @Override
    void decode(String token, StringBuilder out) {
        if (tokenizer.isSeparate(token)) {
            endRun(out);
            if (partBefore) {
                out.append(rules.separator());
            }
            out.append(token);
            partBefore = true;
        } else {
            runHasTokens = true;
            StringBuilder text = new StringBuilder();
            run.accept(token, text);
            appendRunText(text, out);
        }
    }

    @Override
    void end(StringBuilder out) {
        boolean open = runHasTokens;
        StringBuilder text = new StringBuilder();
        run.finish(text);
        appendRunText(text, out);
        if (open && !runHasText && partBefore) {
            out.append(rules.separator()); // the last part counts even if it is empty
        }
    }

    private void endRun(StringBuilder out) {
        StringBuilder text = new StringBuilder();
        run.finish(text);
        appendRunText(text, out);
        partBefore |= runHasText;
        run = rules.newRun(!skipSpecial);
        runHasTokens = false;
        runHasText = false;
    }

    private void appendRunText(StringBuilder text, StringBuilder out) {
        if (text.length() > 0) {
            if (partBefore && !runHasText) {
                out.append(rules.separator());
            }
            out.append(text);
            runHasText = true;
        }
    }
}
