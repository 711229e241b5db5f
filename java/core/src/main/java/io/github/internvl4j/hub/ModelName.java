package io.github.internvl4j.hub;

import io.github.internvl4j.error.InvalidOptionException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code ORG/NAME} with a revision: what stands in addresses and in names of folders, so nothing but harmless characters.
 *
 * @param repository {@code ORG/NAME}
 * @param revision a branch, a tag or a commit
 */
record ModelName(String repository, String revision) {
    static final String USUAL_REVISION = "main";

    static final String EXPECTED = "ORG/NAME or ORG/NAME@REVISION, as OpenGVLab/InternVL3-1B";

    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");
    private static final Pattern PART = Pattern.compile("\\w(?:[\\w.-]{0,94}\\w)?");
    private static final Pattern WHOLE = Pattern.compile("([^/@]+/[^/@]+)(?:@(.+))?");
    /** Parts of a branch's name: not hidden, no option, and nothing that leads up. */
    private static final Pattern REVISION = Pattern.compile("[\\w+][\\w.+-]*(?:/[\\w+][\\w.+-]*)*");

    private static final int LONGEST_REVISION = 200;

    /** @throws InvalidOptionException if the text is no such name */
    static ModelName parse(String text) {
        return find(text)
                .orElseThrow(
                        () -> new InvalidOptionException("name is '" + Shown.text(text) + "', expected " + EXPECTED));
    }

    /** Empty if the text is no such name. */
    static Optional<ModelName> find(String text) {
        Matcher parts = WHOLE.matcher(text);
        if (!parts.matches() || !isRepository(parts.group(1))) {
            return Optional.empty();
        }
        String revision = parts.group(2) == null ? USUAL_REVISION : parts.group(2);
        return isRevision(revision) ? Optional.of(new ModelName(parts.group(1), revision)) : Optional.empty();
    }

    private static boolean isRepository(String text) {
        for (String part : text.split("/", -1)) {
            // A folder's name joins the parts with two dashes.
            if (!PART.matcher(part).matches() || part.contains("--") || part.contains("..") || part.endsWith(".git")) {
                return false;
            }
        }
        return true;
    }

    private static boolean isRevision(String text) {
        return text.length() <= LONGEST_REVISION
                && REVISION.matcher(text).matches()
                && !text.contains("..")
                && !text.endsWith(".lock");
    }

    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /** Whether the revision can never mean something else. */
    boolean isExact() {
        return isCommit(revision);
    }

    /** The folder in the cache: {@code models--ORG--NAME}. */
    String folder() {
        return "models--" + repository.replace("/", "--");
    }

    /** The revision as one part of an address. */
    String escapedRevision() {
        return URLEncoder.encode(revision, StandardCharsets.UTF_8);
    }

    @Override
    public String toString() {
        return revision.equals(USUAL_REVISION) ? repository : repository + "@" + revision;
    }
}
