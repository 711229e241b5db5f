package io.github.internvl4j.spark;

import io.github.internvl4j.InternVL;
import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.hub.Hub;
import java.util.HashMap;
import java.util.Map;

/** The models of this JVM, each loaded once however many tasks use it. One stays for the next task, until another is wanted. */
final class Models {
    private static final Map<Key, Lent> OPEN = new HashMap<>();
    private static int loads;

    private Models() {}

    private record Key(String model, LoadOptions options) {}

    /** A model in the hands of a task, which gives it back. */
    static final class Lent {
        private final InternVL model;
        private int users;

        private Lent(InternVL model) {
            this.model = model;
        }

        InternVL model() {
            return model;
        }

        void giveBack() {
            Models.giveBack(this);
        }
    }

    /** Tasks that come while it is being loaded wait for it. */
    static synchronized Lent lend(String model, LoadOptions options) {
        Key key = new Key(model, options);
        Lent lent = OPEN.get(key);
        if (lent == null) {
            closeIdle(); // it may need the room
            lent = new Lent(InternVL.load(Hub.fromEnvironment().resolve(model), options));
            loads++;
            OPEN.put(key, lent);
        }
        lent.users++;
        return lent;
    }

    private static synchronized void giveBack(Lent lent) {
        lent.users--;
    }

    static synchronized void closeIdle() {
        OPEN.values().removeIf(lent -> {
            if (lent.users == 0) {
                lent.model.close();
            }
            return lent.users == 0;
        });
    }

    /** How many were loaded so far. */
    static synchronized int loads() {
        return loads;
    }
}
