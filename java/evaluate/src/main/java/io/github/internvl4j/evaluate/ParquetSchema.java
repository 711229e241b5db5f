package io.github.internvl4j.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.format.ConvertedType;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;
import org.jspecify.annotations.Nullable;

/** A Parquet file's columns, and its records as JSON. */
final class ParquetSchema {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final List<SchemaElement> elements;
    private int at;

    private ParquetSchema(List<SchemaElement> elements) {
        this.elements = elements;
    }

    /** The file lists the tree in depth-first order. */
    static MessageType of(List<SchemaElement> elements) {
        ParquetSchema schema = new ParquetSchema(elements);
        SchemaElement root = elements.get(schema.at++);
        return new MessageType(root.getName(), schema.children(root.getNum_children()));
    }

    private List<Type> children(int count) {
        List<Type> children = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            children.add(type(elements.get(at++)));
        }
        return children;
    }

    private Type type(SchemaElement element) {
        Type.Repetition repetition =
                Type.Repetition.valueOf(element.getRepetition_type().name());
        LogicalTypeAnnotation meaning = meaning(element);
        if (element.isSetNum_children()) {
            return Types.buildGroup(repetition)
                    .as(meaning)
                    .addFields(children(element.getNum_children()).toArray(new Type[0]))
                    .named(element.getName());
        }
        PrimitiveTypeName primitive = element.getType().name().equals("BYTE_ARRAY")
                ? PrimitiveTypeName.BINARY
                : PrimitiveTypeName.valueOf(element.getType().name());
        return Types.primitive(primitive, repetition)
                .length(element.getType_length())
                .as(meaning)
                .named(element.getName());
    }

    private static @Nullable LogicalTypeAnnotation meaning(SchemaElement element) {
        ConvertedType converted = element.getConverted_type();
        if (converted == ConvertedType.UTF8 || converted == ConvertedType.LIST) {
            return converted == ConvertedType.UTF8
                    ? LogicalTypeAnnotation.stringType()
                    : LogicalTypeAnnotation.listType();
        }
        if (element.getLogicalType() != null && element.getLogicalType().isSetSTRING()) {
            return LogicalTypeAnnotation.stringType();
        }
        return null;
    }

    /** Whether a column holds no bytes, in itself and below. */
    static boolean isText(Type type) {
        if (type.isPrimitive()) {
            boolean binary = type.asPrimitiveType().getPrimitiveTypeName() == PrimitiveTypeName.BINARY;
            return !binary || isString(type);
        }
        return type.asGroupType().getFields().stream().allMatch(ParquetSchema::isText);
    }

    /** The columns, and of one that holds bytes what else is in it. */
    static List<Type> withoutBytes(GroupType group) {
        List<Type> columns = new ArrayList<>();
        for (Type column : group.getFields()) {
            if (isText(column)) {
                columns.add(column);
            } else if (!column.isPrimitive()) {
                List<Type> texts = withoutBytes(column.asGroupType());
                if (!texts.isEmpty()) {
                    columns.add(column.asGroupType().withNewFields(texts));
                }
            }
        }
        return columns;
    }

    private static boolean isString(Type type) {
        return LogicalTypeAnnotation.stringType().equals(type.getLogicalTypeAnnotation());
    }

    /** A record's fields. */
    static ObjectNode json(Group record) {
        ObjectNode json = JSON.objectNode();
        GroupType type = record.getType();
        for (int field = 0; field < type.getFieldCount(); field++) {
            boolean present = record.getFieldRepetitionCount(field) > 0;
            json.set(type.getFieldName(field), present ? value(record, field, 0) : JSON.nullNode());
        }
        return json;
    }

    private static JsonNode value(Group record, int field, int index) {
        Type type = record.getType().getType(field);
        if (type.isPrimitive()) {
            return primitive(record, type, field, index);
        }
        Group group = record.getGroup(field, index);
        return LogicalTypeAnnotation.listType().equals(type.getLogicalTypeAnnotation()) ? list(group) : json(group);
    }

    /** A list has a repeated group of one element. */
    private static ArrayNode list(Group group) {
        ArrayNode list = JSON.arrayNode();
        for (int i = 0; i < group.getFieldRepetitionCount(0); i++) {
            if (group.getType().getType(0).isPrimitive()) {
                list.add(value(group, 0, i));
            } else {
                Group element = group.getGroup(0, i);
                list.add(element.getFieldRepetitionCount(0) > 0 ? value(element, 0, 0) : JSON.nullNode());
            }
        }
        return list;
    }

    private static JsonNode primitive(Group record, Type type, int field, int index) {
        PrimitiveTypeName name = type.asPrimitiveType().getPrimitiveTypeName();
        return switch (name) {
            case BINARY -> JSON.textNode(record.getString(field, index));
            case INT32 -> JSON.numberNode(record.getInteger(field, index));
            case INT64 -> JSON.numberNode(record.getLong(field, index));
            case DOUBLE -> JSON.numberNode(record.getDouble(field, index));
            case FLOAT -> JSON.numberNode((double) record.getFloat(field, index));
            case BOOLEAN -> JSON.booleanNode(record.getBoolean(field, index));
            default ->
                throw new IllegalArgumentException("column " + type.getName() + " has the type "
                        + name.name().toLowerCase(Locale.ROOT) + ", which no data set here has");
        };
    }

    /** The bytes of a struct column; null where it has none. */
    static byte @Nullable [] bytes(Group record, String column) {
        if (record.getFieldRepetitionCount(column) == 0) {
            return null;
        }
        Group picture = record.getGroup(column, 0);
        return picture.getFieldRepetitionCount("bytes") == 0
                ? null
                : picture.getBinary("bytes", 0).getBytes();
    }
}
