package io.github.internvl4j.hub;

import io.github.internvl4j.error.HubException;
import io.github.internvl4j.error.ModelAccessException;
import io.github.internvl4j.error.ModelNotFoundException;
import java.io.IOException;
import java.net.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a hub means by an answer that is not the one asked for. */
final class HubErrors {
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int TOO_MANY = 429;
    private static final Set<Integer> PASSING = Set.of(408, TOO_MANY, 500, 502, 503, 504);
    private static final Pattern SECONDS = Pattern.compile("\\d{1,9}");
    /** {@code "api";r=0;t=55}: nothing remains for so many seconds. */
    private static final Pattern RATE = Pattern.compile(";r=0;t=(\\d{1,9})");

    private final HubOptions options;
    private final ModelName name;

    HubErrors(HubOptions options, ModelName name) {
        this.options = options;
        this.name = name;
    }

    /**
     * The exception for an answer: an {@link IOException} if it may pass, else for whoever asked.
     *
     * @param fromHub the endpoint itself answered, not a host that it led to
     */
    void refuse(int status, HttpHeaders headers, String address, boolean fromHub) throws IOException {
        if (PASSING.contains(status)) {
            throw new Retries.Passing("the hub answers " + status, wait(headers));
        }
        if (!fromHub && (status == UNAUTHORIZED || status == FORBIDDEN)) {
            throw new Retries.Passing(address + " answers " + status + ", as for an address that is too old", null);
        }
        throw described(status, headers, address);
    }

    private HubException described(int status, HttpHeaders headers, String address) {
        String code = headers.firstValue("X-Error-Code").orElse("");
        String said = headers.firstValue("X-Error-Message")
                .map(message -> " (" + Shown.text(message) + ")")
                .orElse("");
        switch (code) {
            case "GatedRepo":
                return new ModelAccessException(name.repository() + " has terms to accept first" + said
                        + ": do that at " + options.endpoint() + "/" + name.repository() + " and " + tokenAdvice());
            case "RevisionNotFound":
                return new ModelNotFoundException(
                        name.repository() + " has no revision " + name.revision() + " at " + options.endpoint() + "; "
                                + options.endpoint() + "/" + name.repository() + " shows those it has");
            case "EntryNotFound":
                return new ModelNotFoundException(address + ": there is no such file any more" + said);
            default:
                break;
        }
        if (code.equals("RepoNotFound") || status == NOT_FOUND || status == UNAUTHORIZED && options.token() == null) {
            return new ModelNotFoundException(options.endpoint() + " has no model " + name.repository()
                    + ", or it is private" + said + ": look at the name's spelling, or " + tokenAdvice());
        }
        if (status == UNAUTHORIZED || status == FORBIDDEN) {
            return new ModelAccessException(options.endpoint() + " does not give " + name.repository() + " (" + status
                    + ")" + said + ": " + tokenAdvice());
        }
        return new HubException(address + " answers " + status + said + ", expected 200");
    }

    private String tokenAdvice() {
        if (options.token() == null) {
            return "set HF_TOKEN to a token that may read it";
        }
        if (!Address.isPrivate(options.endpoint())) {
            return "name the hub by https: over plain http the token was not sent";
        }
        return "the token (HF_TOKEN) may be wrong, or not allowed to read it";
    }

    private static @Nullable Duration wait(HttpHeaders headers) {
        String after = headers.firstValue("Retry-After").map(String::strip).orElse("");
        if (SECONDS.matcher(after).matches()) {
            return Duration.ofSeconds(Long.parseLong(after));
        }
        if (!after.isEmpty()) {
            return until(after);
        }
        Matcher rate = RATE.matcher(headers.firstValue("RateLimit").orElse(""));
        return rate.find() ? Duration.ofSeconds(Long.parseLong(rate.group(1))) : null;
    }

    private static @Nullable Duration until(String date) {
        try {
            Instant then = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            Duration wait = Duration.between(Instant.now(), then);
            return wait.isNegative() ? Duration.ZERO : wait;
        } catch (DateTimeException e) {
            return null;
        }
    }
}
