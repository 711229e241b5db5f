package io.github.internvl4j.evaluate;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the scripts leave to Python and what Java does otherwise: blanks, numbers, their text, and patterns. */
final class Python {
    /** The characters of which {@code str.isspace()} is true. */
    private static final String BLANK =
            "\\x09-\\x0D\\x1C-\\x1F\\x20\\x85\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000";

    /** The last one, a number too, makes Java look behind whole characters beyond U+FFFF. */
    private static final String WORD = "[\\p{L}\\p{N}_\uD835\uDFD5]";

    private static final String NUMBER_BLANK = BLANK.replace("\\x1C-\\x1F", "");
    private static final Pattern BLANKS = Pattern.compile("[" + BLANK + "]+");
    private static final Pattern LEADING = Pattern.compile("^[" + BLANK + "]+");
    private static final Pattern TRAILING = Pattern.compile("[" + BLANK + "]+\\z");
    private static final String DIGITS = "[0-9](?:_?[0-9])*";
    private static final Pattern INTEGER = Pattern.compile("[+-]?" + DIGITS);
    private static final Pattern FLOAT = Pattern.compile(
            "[+-]?(?:" + DIGITS + "(?:\\.(?:" + DIGITS + ")?)?|\\." + DIGITS + ")(?:[eE][+-]?" + DIGITS + ")?");
    private static final Pattern NOT_FINITE = Pattern.compile("([+-]?)(inf|infinity|nan)", Pattern.CASE_INSENSITIVE);

    /** More digits than this {@code int} refuses. */
    private static final int LONGEST_INTEGER = 4300;

    private static final char SIGMA = '\u03A3';
    /** What numbers may have around them: not all blanks of ASCII. */
    private static final Pattern AROUND_NUMBERS =
            Pattern.compile("^[" + NUMBER_BLANK + "]+|[" + NUMBER_BLANK + "]+\\z");

    private Python() {}

    /** {@code s.strip()}. */
    static String strip(String s) {
        return TRAILING.matcher(LEADING.matcher(s).replaceFirst("")).replaceFirst("");
    }

    /** {@code s.strip(mark)} with one character. */
    static String strip(String s, char mark) {
        int start = 0;
        while (start < s.length() && s.charAt(start) == mark) {
            start++;
        }
        return stripEnd(s.substring(start), mark);
    }

    /** {@code s.rstrip(mark)} with one character. */
    static String stripEnd(String s, char mark) {
        int end = s.length();
        while (end > 0 && s.charAt(end - 1) == mark) {
            end--;
        }
        return s.substring(0, end);
    }

    /** {@code s.split()}. */
    static List<String> words(String s) {
        String stripped = strip(s);
        return stripped.isEmpty() ? List.of() : List.of(BLANKS.split(stripped));
    }

    /** {@code s.split(separator)}: empty parts stay. */
    static List<String> split(String s, String separator) {
        List<String> parts = new ArrayList<>();
        int start = 0;
        for (int at = s.indexOf(separator); at >= 0; at = s.indexOf(separator, start)) {
            parts.add(s.substring(start, at));
            start = at + separator.length();
        }
        parts.add(s.substring(start));
        return parts;
    }

    /** {@code s.lower()}; its rule for the sigma that ends a word is not Java's. */
    static String lower(String s) {
        StringBuilder lower = new StringBuilder(s.length());
        int start = 0;
        for (int sigma = s.indexOf(SIGMA); sigma >= 0; sigma = s.indexOf(SIGMA, start)) {
            lower.append(s.substring(start, sigma).toLowerCase(Locale.ROOT));
            lower.append(FinalSigma.is(s, sigma) ? '\u03C2' : '\u03C3');
            start = sigma + 1;
        }
        return lower.append(s.substring(start).toLowerCase(Locale.ROOT)).toString();
    }

    /** {@code len(s)}: in code points. */
    static int length(String s) {
        return s.codePointCount(0, s.length());
    }

    /** {@code s[:1]}. */
    static String first(String s) {
        return s.isEmpty() ? "" : s.substring(0, s.offsetByCodePoints(0, 1));
    }

    /** {@code int(s)}; null where it fails. */
    static @Nullable BigInteger integer(String s) {
        String ascii = asciiDigits(AROUND_NUMBERS.matcher(s).replaceAll(""));
        if (!INTEGER.matcher(ascii).matches()) {
            return null;
        }
        String digits = ascii.replace("_", "");
        return digits.length() > LONGEST_INTEGER + 1
                ? null
                : new BigInteger(digits.startsWith("+") ? digits.substring(1) : digits);
    }

    /** {@code float(s)}; null where it fails. */
    static @Nullable Double real(String s) {
        String ascii = asciiDigits(AROUND_NUMBERS.matcher(s).replaceAll(""));
        if (FLOAT.matcher(ascii).matches()) {
            return Double.valueOf(ascii.replace("_", ""));
        }
        var special = NOT_FINITE.matcher(ascii);
        if (!special.matches()) {
            return null;
        }
        if (special.group(2).equalsIgnoreCase("nan")) {
            return Double.NaN;
        }
        return special.group(1).equals("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
    }

    /** {@code int(x)}; null where it fails. */
    static @Nullable BigInteger integer(double x) {
        return Double.isFinite(x) ? new BigDecimal(x).toBigInteger() : null;
    }

    /** {@code round(x, places)}: half to even, of the exact binary value. */
    static double round(double x, int places) {
        if (!Double.isFinite(x)) {
            return x;
        }
        double rounded =
                new BigDecimal(x).setScale(places, RoundingMode.HALF_EVEN).doubleValue();
        return Math.copySign(rounded, x);
    }

    /** {@code round(x)}, an {@code int}; null where it fails. */
    static @Nullable BigInteger round(double x) {
        return Double.isFinite(x)
                ? new BigDecimal(x).setScale(0, RoundingMode.HALF_EVEN).toBigInteger()
                : null;
    }

    /** {@code '{:.Nf}'.format(x)}. */
    static String fixed(double x, int places) {
        if (!Double.isFinite(x)) {
            return text(x);
        }
        String digits =
                new BigDecimal(x).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
        return (1 / x < 0 || x < 0) && !digits.startsWith("-") ? "-" + digits : digits;
    }

    /** {@code str(x)}: the shortest digits that are read as x again. Java's own are not always, before JDK 19. */
    static String text(double x) {
        if (Double.isNaN(x)) {
            return "nan";
        }
        if (Double.isInfinite(x)) {
            return x < 0 ? "-inf" : "inf";
        }
        String sign = x < 0 || 1 / x < 0 ? "-" : "";
        return sign + (x == 0 ? "0.0" : positive(Math.abs(x)));
    }

    private static String positive(double x) {
        BigDecimal shortest = shortest(x);
        String digits = shortest.unscaledValue().toString();
        int point = digits.length() - shortest.scale(); // digits before the point
        if (point > 16 || point < -3) {
            int exponent = point - 1;
            String rest = digits.length() > 1 ? "." + digits.substring(1) : "";
            return digits.charAt(0)
                    + rest
                    + (exponent < 0 ? "e-" : "e+")
                    + String.format(Locale.ROOT, "%02d", Math.abs(exponent));
        }
        String plain = shortest.toPlainString();
        return plain.contains(".") ? plain : plain + ".0";
    }

    private static BigDecimal shortest(double x) {
        BigDecimal exact = new BigDecimal(x);
        for (int digits = 1; digits < 17; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() == x) {
                return rounded.stripTrailingZeros();
            }
        }
        return exact.round(new MathContext(17, RoundingMode.HALF_EVEN)).stripTrailingZeros();
    }

    /** One of Python's patterns, whose classes know all of Unicode. */
    static Pattern pattern(String python) {
        String boundary = "(?:(?<=" + WORD + ")(?!" + WORD + ")|(?<!" + WORD + ")(?=" + WORD + "))";
        return Pattern.compile(
                python.replace("\\b", boundary)
                        .replace("\\d", "\\p{Nd}")
                        .replace("\\w", WORD)
                        .replace("\\s", "[" + BLANK + "]"),
                Pattern.UNIX_LINES);
    }

    /** Decimal digits of any script as ASCII's; blanks inside stay, so that numbers with them fail. */
    private static String asciiDigits(String s) {
        StringBuilder ascii = new StringBuilder(s.length());
        s.codePoints().forEach(c -> {
            int digit = Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER ? Character.digit(c, 10) : -1;
            ascii.appendCodePoint(digit < 0 ? c : '0' + digit);
        });
        return ascii.toString();
    }
}
