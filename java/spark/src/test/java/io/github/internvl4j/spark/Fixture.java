package io.github.internvl4j.spark;

import io.github.internvl4j.LoadOptions;
import io.github.internvl4j.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The demo checkpoint, and questions about its images. */
final class Fixture {
    static final Path DEMO = Path.of(System.getProperty("internvl4j.testData", "../../test-data"), "demo")
            .toAbsolutePath()
            .normalize();
    static final List<String> IMAGES = List.of("two.jpg", "three.jpg", "four.png", "digit.jpg");
    private static final List<String> QUESTIONS =
            List.of("What is in the middle?", "Please describe the image in detail.", "How many shapes are there?");
    private static final StructType SCHEMA = new StructType()
            .add("id", DataTypes.IntegerType)
            .add("image", DataTypes.BinaryType)
            .add("prompt", DataTypes.StringType);

    private Fixture() {}

    static InternVLTransformer transformer() {
        return InternVLTransformer.of(DEMO.toString()).loading(Fixture::loading);
    }

    static LoadOptions loading() {
        return LoadOptions.defaults().precision(Precision.F32).threads(1);
    }

    /** A session in which nothing listens to the network, but for other processes of this machine. */
    static SparkSession.Builder session(String master) {
        return SparkSession.builder()
                .master(master)
                .appName("internvl4j")
                .config("spark.ui.enabled", false)
                .config("spark.driver.host", "127.0.0.1")
                .config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.sql.shuffle.partitions", 2)
                .config("spark.sql.warehouse.dir", "target/warehouse");
    }

    static byte[] image(int i) {
        try {
            return Files.readAllBytes(path(i));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static Path path(int i) {
        return DEMO.resolve("samples").resolve(IMAGES.get(i % IMAGES.size()));
    }

    /** No two alike for the same image. */
    static String prompt(int i) {
        int kinds = IMAGES.size() * QUESTIONS.size();
        String question = QUESTIONS.get(i / IMAGES.size() % QUESTIONS.size());
        return i < kinds ? question : question + " " + i;
    }

    /** So many rows, no two alike. */
    static Dataset<Row> rows(SparkSession spark, int count) {
        List<Row> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(RowFactory.create(i, image(i), prompt(i)));
        }
        return spark.createDataFrame(rows, SCHEMA);
    }
}
