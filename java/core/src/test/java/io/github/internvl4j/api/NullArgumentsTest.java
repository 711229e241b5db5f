package io.github.internvl4j.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Every public method and constructor, with null for each argument that may not be null: an exception has the argument's name. */
class NullArgumentsTest {
    private static final Samples SAMPLES = new Samples();

    @AfterAll
    static void close() {
        SAMPLES.close();
    }

    @Test
    void areNamedWhereTheyComeIn() {
        Set<String> wrong = new TreeSet<>();
        int tried = 0;
        for (Class<?> type : PublicApi.types()) {
            boolean listens = type.isInterface() && type.getSimpleName().endsWith("Listener");
            if (listens || Throwable.class.isAssignableFrom(type)) {
                continue; // others implement it; an exception's message and cause may be anything
            }
            for (Executable member : PublicApi.members(type)) {
                for (int i = 0; i < member.getParameterCount(); i++) {
                    if (mayBeNull(type, member, i)) {
                        continue;
                    }
                    tried++;
                    String what = answer(type, member, i);
                    if (what != null) {
                        wrong.add(member.toGenericString().replaceAll("\\b[a-z][a-z0-9]*\\.", "") + ", argument " + i
                                + ": " + what);
                    }
                }
            }
        }
        assertEquals("", String.join("\n", wrong));
        assertTrue(tried > 150, tried + " arguments were tried");
    }

    private static boolean mayBeNull(Class<?> type, Executable member, int index) {
        AnnotatedType annotated = member.getAnnotatedParameterTypes()[index];
        return member.getParameterTypes()[index].isPrimitive()
                || annotated.isAnnotationPresent(Nullable.class)
                || member.getName().equals("equals")
                || type.isEnum(); // valueOf is the compiler's
    }

    /** What is wrong about the exception, or null. */
    private static @Nullable String answer(Class<?> type, Executable member, int index) {
        Object[] arguments = new Object[member.getParameterCount()];
        for (int i = 0; i < arguments.length; i++) {
            arguments[i] = i == index ? null : SAMPLES.of(member.getParameterTypes()[i]);
        }
        try {
            if (member instanceof Method method) {
                method.invoke(Modifier.isStatic(method.getModifiers()) ? null : SAMPLES.of(type), arguments);
            } else if (member instanceof Constructor<?> constructor) {
                constructor.newInstance(arguments);
            }
            return "nothing is thrown";
        } catch (InvocationTargetException e) {
            Throwable thrown = e.getCause();
            String message = String.valueOf(thrown.getMessage());
            boolean named = thrown instanceof NullPointerException && message.matches("\\w+(\\[\\w+])?");
            return named ? null : thrown.toString().lines().findFirst().orElse("");
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(member.toString(), e);
        }
    }
}
