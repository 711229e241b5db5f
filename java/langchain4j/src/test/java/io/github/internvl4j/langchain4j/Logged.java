package io.github.internvl4j.langchain4j;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What the models log, kept instead of written, until it is closed. */
final class Logged extends Handler implements AutoCloseable {
    final List<Throwable> thrown = new CopyOnWriteArrayList<>();
    private final Logger logger = Logger.getLogger("io.github.internvl4j.langchain4j");

    Logged() {
        logger.setUseParentHandlers(false);
        logger.addHandler(this);
    }

    @Override
    public void publish(LogRecord entry) {
        thrown.add(entry.getThrown());
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setUseParentHandlers(true);
    }
}
