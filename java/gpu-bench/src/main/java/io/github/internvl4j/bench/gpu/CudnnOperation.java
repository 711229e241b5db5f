package io.github.internvl4j.bench.gpu;

import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_MODE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_ENGINEHEUR_RESULTS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATIONGRAPH_HANDLE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_OPERATIONGRAPH_OPS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DATA_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_DIMENSIONS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_STRIDES;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_TENSOR_UNIQUE_ID;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_ATTR_VARIANT_PACK_WORKSPACE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_TENSOR_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;
import static org.bytedeco.cuda.global.cudnn.CUDNN_DATA_BFLOAT16;
import static org.bytedeco.cuda.global.cudnn.CUDNN_HEUR_MODE_A;
import static org.bytedeco.cuda.global.cudnn.CUDNN_HEUR_MODE_FALLBACK;
import static org.bytedeco.cuda.global.cudnn.CUDNN_STATUS_SUCCESS;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_DATA_TYPE;
import static org.bytedeco.cuda.global.cudnn.CUDNN_TYPE_HEUR_MODE;
import static org.bytedeco.cuda.global.cudnn.cudnnBackendExecute;
import static org.bytedeco.cuda.global.cudnn.cudnnCreate;
import static org.bytedeco.cuda.global.cudnn.cudnnDestroy;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.cuda.cudnn.cudnnContext;
import org.bytedeco.javacpp.Pointer;

/** One operation of cuDNN's graph API, by the first of its heuristics' engines that can do it. */
abstract class CudnnOperation extends Peer {
    /** Of a heuristic's suggestions. */
    private static final int MOST_ENGINES = 16;

    private final cudnnContext handle = new cudnnContext();
    private final List<AutoCloseable> owned = new ArrayList<>();
    private CudnnDescriptor plan;
    private CudnnDescriptor pack;

    CudnnOperation() {
        Status.cudnn(cudnnCreate(handle), "cudnnCreate");
    }

    /** A descriptor that is freed with this. */
    final CudnnDescriptor made(int type) {
        return owning(new CudnnDescriptor(type));
    }

    final <T extends AutoCloseable> T owning(T resource) {
        owned.add(resource);
        return resource;
    }

    /** A tensor of bf16; its data come with {@link #prepare}. */
    final CudnnDescriptor tensor(long id, long[] dimensions, long[] strides) {
        return made(CUDNN_BACKEND_TENSOR_DESCRIPTOR)
                .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id)
                .setEnum(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, CUDNN_DATA_BFLOAT16)
                .set(CUDNN_ATTR_TENSOR_DIMENSIONS, dimensions)
                .set(CUDNN_ATTR_TENSOR_STRIDES, strides)
                .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 16)
                .finish();
    }

    /** Makes a plan for the operation over the tensors' data, in the order of their ids. */
    final void prepare(CudnnDescriptor operation, long[] ids, Pointer... data) {
        CudnnDescriptor graph = made(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR)
                .set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle)
                .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation)
                .finish();
        plan = planOf(graph);
        long space = Math.max(1, plan.get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE));
        pack = made(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)
                .set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids)
                .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, data)
                .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, owning(new DeviceMemory(space)).address())
                .finish();
    }

    private CudnnDescriptor planOf(CudnnDescriptor graph) {
        int named = 0;
        for (int mode : new int[] {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
            CudnnDescriptor heuristic = made(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR)
                    .set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
                    .setEnum(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, mode);
            if (heuristic.tryToFinish() != CUDNN_STATUS_SUCCESS) {
                continue;
            }
            CudnnDescriptor[] engines = new CudnnDescriptor[MOST_ENGINES];
            for (int i = 0; i < engines.length; i++) {
                engines[i] = made(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
            }
            int found = heuristic.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, engines);
            named += found;
            for (int i = 0; i < found; i++) {
                CudnnDescriptor candidate = made(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR)
                        .set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, handle)
                        .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, engines[i]);
                if (candidate.tryToFinish() == CUDNN_STATUS_SUCCESS) {
                    return candidate;
                }
            }
        }
        throw new IllegalStateException("cuDNN has no engine that can do this; its heuristics named " + named);
    }

    @Override
    void queue() {
        Status.cudnn(cudnnBackendExecute(handle, plan.address(), pack.address()), "cudnnBackendExecute");
    }

    @Override
    public void close() {
        for (AutoCloseable resource : owned) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
        cudnnDestroy(handle);
    }
}
