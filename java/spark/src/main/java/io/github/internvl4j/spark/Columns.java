package io.github.internvl4j.spark;

import io.github.internvl4j.Reply;
import io.github.internvl4j.error.InvalidOptionException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The columns that are read, and the one that is added. */
final class Columns {
    static final List<DataType> IMAGES = List.of(
            DataTypes.BinaryType,
            DataTypes.StringType,
            DataTypes.createArrayType(DataTypes.BinaryType),
            DataTypes.createArrayType(DataTypes.StringType));
    static final List<DataType> PROMPTS = List.of(DataTypes.StringType);

    /** Either an error, or all others. */
    static final StructType REPLY = new StructType()
            .add("text", DataTypes.StringType)
            .add("finish_reason", DataTypes.StringType)
            .add("prompt_tokens", DataTypes.IntegerType)
            .add("completion_tokens", DataTypes.IntegerType)
            .add("system_fingerprint", DataTypes.StringType)
            .add("error", DataTypes.StringType);

    private Columns() {}

    /** @throws InvalidOptionException if there is no such column, or it is of none of these types */
    static void require(StructType schema, String option, String name, List<DataType> types) {
        String expected = "expected a column of "
                + String.join(
                        " or ", types.stream().map(DataType::catalogString).toList());
        if (!Arrays.asList(schema.fieldNames()).contains(name)) {
            throw new InvalidOptionException(option + " is " + name + ", which is not among "
                    + String.join(", ", schema.fieldNames()) + "; " + expected);
        }
        DataType type = schema.apply(name).dataType();
        if (types.stream().noneMatch(one -> DataType.equalsIgnoreNullability(one, type))) {
            throw new InvalidOptionException(option + " is " + name + " of " + type.catalogString() + ", " + expected);
        }
    }

    /** @param fingerprint the model's */
    static Row answered(Row row, Reply reply, String fingerprint) {
        return with(
                row,
                RowFactory.create(
                        reply.text(),
                        reply.finish().name().toLowerCase(Locale.ROOT),
                        reply.promptTokens().size(),
                        reply.tokens().size(),
                        fingerprint,
                        null));
    }

    static Row failed(Row row, String error) {
        return with(row, RowFactory.create(null, null, null, null, null, error));
    }

    private static Row with(Row row, Row reply) {
        Object[] values = new Object[row.size() + 1];
        for (int i = 0; i < row.size(); i++) {
            values[i] = row.get(i);
        }
        values[row.size()] = reply;
        return RowFactory.create(values);
    }
}
