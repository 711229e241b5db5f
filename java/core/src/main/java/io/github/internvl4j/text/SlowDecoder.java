package io.github.internvl4j.text;

/**
 * Decodes as {@code PreTrainedTokenizer._decode}: tokens that stand alone are texts of their own, the runs between them
 * are decoded one by one, and all of it is joined.
 */
final class SlowDecoder implements StreamDecoder {
    private final SlowTokenizer tokenizer;
    private final SlowRules rules;
    private final boolean skipSpecial;
    private final SpaceCleanUp cleanUp = new SpaceCleanUp();

    /** Decodes the tokens since the last separate one; a new one for every run, as spaces at its start may go. */
    private RunDecoder run;
    private boolean runHasTokens;
    private boolean runHasText;
    /** Whether something stands before the current run, so that the separator comes between. */
    private boolean partBefore;
    private boolean finished;

    SlowDecoder(SlowTokenizer tokenizer, boolean skipSpecial) {
        this.tokenizer = tokenizer;
        this.rules = tokenizer.rules();
        this.skipSpecial = skipSpecial;
        this.run = rules.newRun(!skipSpecial);
    }

    @Override
    public String accept(int tokenId) {
        if (finished) {
            throw new IllegalStateException("the answer was finished; a StreamDecoder decodes one answer");
        }
        if (skipSpecial && tokenizer.isSpecial(tokenId)) {
            return "";
        }
        String token = tokenizer.tokenText(tokenId);
        StringBuilder out = new StringBuilder();
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
        return cleaned(out, false);
    }

    @Override
    public String finish() {
        if (finished) {
            return "";
        }
        finished = true;
        StringBuilder out = new StringBuilder();
        boolean open = runHasTokens;
        StringBuilder text = new StringBuilder();
        run.finish(text);
        appendRunText(text, out);
        if (open && !runHasText && partBefore) {
            out.append(rules.separator()); // the last part counts even if it is empty
        }
        return cleaned(out, true);
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

    private String cleaned(StringBuilder out, boolean last) {
        return rules.cleansUpSpaces() ? cleanUp.accept(out.toString(), last) : out.toString();
    }
}
