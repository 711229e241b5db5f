package io.github.internvl4j.api;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.internvl4j.Cancellation;
import io.github.internvl4j.ModelInfo;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Which package may use which: those at the bottom know nothing of those above. */
class PackagesTest {
    private static JavaClasses library;

    @BeforeAll
    static void read() {
        library = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_JARS)
                .importPackages(PublicApi.ROOT);
    }

    /** Of the library's own; what others made is not looked at. */
    private static void usesOnly(String name, DescribedPredicate<JavaClass> more, String... others) {
        String[] allowed = Stream.concat(Stream.of(name), Arrays.stream(others))
                .map(used -> PublicApi.ROOT + "." + used + "..")
                .toArray(String[]::new);
        classes()
                .that()
                .resideInAPackage(PublicApi.ROOT + "." + name + "..")
                .should()
                .onlyDependOnClassesThat(not(resideInAPackage(PublicApi.ROOT + ".."))
                        .or(resideInAnyPackage(allowed))
                        .or(more))
                .check(library);
    }

    private static DescribedPredicate<JavaClass> nothing() {
        return DescribedPredicate.alwaysFalse();
    }

    @Test
    void whatIsBelowKnowsNothingOfWhatIsAbove() {
        usesOnly("error", nothing());
        usesOnly("host", nothing(), "error");
        usesOnly("tensor", nothing(), "host", "error");
        usesOnly("text", nothing(), "host", "error");
        usesOnly("image", type(ModelInfo.class).or(type(ModelInfo.Layout.class)), "tensor", "host", "error");
        usesOnly("video", nothing(), "image", "host", "error");
        usesOnly("hub", type(Cancellation.class), "host", "error");
    }

    /** What is optional is asked for by name, and not needed by the rest. */
    @Test
    void onePackageAloneUsesMicrometer() {
        noClasses()
                .that()
                .resideOutsideOfPackage(PublicApi.ROOT + ".micrometer..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.micrometer..", PublicApi.ROOT + ".micrometer..")
                .check(library);
    }

    @Test
    void theModelAndItsTrainingAloneUseTheRuntime() {
        noClasses()
                .that()
                .resideOutsideOfPackages(PublicApi.ROOT, PublicApi.ROOT + ".train", PublicApi.ROOT + ".runtime..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(PublicApi.ROOT + ".runtime..")
                .check(library);
    }

    @Test
    void theRuntimeAloneUsesTheBinding() {
        noClasses()
                .that()
                .resideOutsideOfPackages(PublicApi.ROOT + ".runtime..", PublicApi.ROOT + ".internal..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage(PublicApi.ROOT + ".internal..")
                .check(library);
    }
}
