"""Operators that do no MACs, by ATen's names without a trailing underscore, and what rows call operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

_PLUMBING = """
    alias arange as_strided_copy clone contiguous copy detach empty empty_like empty_permuted empty_strided eye
    fill full full_like lift lift_fresh lift_fresh_copy linspace logspace new_empty new_empty_strided new_full
    new_ones new_zeros normal normal_functional ones ones_like rand rand_like randint randint_like randn randn_like
    randperm bernoulli uniform random exponential geometric cauchy log_normal multinomial scalar_tensor set resize
    resize_as tril_indices triu_indices zero zeros zeros_like _to_copy _unsafe_view _reshape_alias _reshape_copy
    _copy_from _copy_from_and_resize _assert_async _assert_scalar _assert_tensor_metadata _local_scalar_dense
    _functional_assert_async sym_constrain_range sym_constrain_range_for_size is_same_size equal is_pinned pin_memory
    _linalg_check_errors
    unsafe_split unsafe_split_with_sizes split_copy split_with_sizes_copy unbind_copy view_copy expand_copy
    permute_copy transpose_copy t_copy squeeze_copy unsqueeze_copy select_copy slice_copy diagonal_copy alias_copy
    detach_copy unfold_copy bartlett_window blackman_window hamming_window hann_window kaiser_window fft_fftfreq
    fft_rfftfreq range
    _conj_copy _fw_primal_copy _lazy_clone _make_dual_copy _neg_view_copy _reshape_alias_copy view_as_complex_copy
    view_as_real_copy values_copy _values_copy indices_copy _indices_copy row_indices_copy col_indices_copy
    crow_indices_copy ccol_indices_copy _pin_memory _print _resize_output record_stream is_set_to _make_dep_token
    _has_same_storage_numel _new_zeros_with_same_feature_meta _efficientzerotensor from_file _philox_key_fold_in
    _philox_key_split _philox_normal _philox_uniform binomial poisson _standard_gamma _sample_dirichlet
    _functional_assert_scalar _functional_sym_constrain_range _functional_sym_constrain_range_for_size
    _fused_sdp_choice _use_cudnn_ctc_loss _use_miopen_ctc_loss _cudnn_init_dropout_state _cudnn_rnn_flatten_weight
    _fill_mem_eff_dropout_mask _nested_compute_contiguous_strides_offsets _nested_get_jagged_dummy _nested_get_lengths
    _nested_get_max_seqlen _nested_get_min_seqlen _nested_get_offsets _nested_get_ragged_idx _nested_get_values_copy
    _nested_tensor_size _nested_tensor_storage_offsets _nested_tensor_strides _nested_view_from_buffer_copy
    _nested_view_from_jagged_copy to_mkldnn _mkldnn_reshape _mkldnn_transpose mkldnn_reorder_conv2d_weight
    mkldnn_reorder_conv3d_weight _convert_weight_to_int4pack _convert_weight_to_int4pack_for_cpu
    _dyn_quant_pack_4bit_weight _to_dense dense_dim sparse_dim is_coalesced _nnz _dimI _dimV q_scale q_zero_point
    qscheme
    q_per_channel_axis q_per_channel_scales q_per_channel_zero_points empty_quantized _empty_affine_quantized
    _empty_per_channel_affine_quantized
"""
PLUMBING = frozenset(_PLUMBING.split())
"""Constants, copies and views: they make no row either."""

_FREE = """
    _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool2d
    adaptive_max_pool3d avg_pool2d avg_pool3d fractional_max_pool2d fractional_max_pool3d max_pool2d_with_indices
    max_pool3d_with_indices max_unpool2d max_unpool3d
    native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training _native_batch_norm_legit_functional
    _batch_norm_with_update _batch_norm_no_update batch_norm cudnn_batch_norm miopen_batch_norm native_layer_norm
    native_group_norm _fused_rms_norm _weight_norm_interface renorm norm linalg_vector_norm
    _softmax _log_softmax _safe_softmax _masked_softmax _softmax_backward_data _log_softmax_backward_data
    _prelu_kernel glu rrelu_with_noise log_sigmoid_forward softplus elu gelu hardswish hardsigmoid hardtanh
    leaky_relu mish silu threshold celu hardshrink softshrink logit
    native_dropout embedding embedding_dense embedding_renorm _embedding_bag _embedding_bag_forward_only
    _pack_padded_sequence
    cat stack repeat constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
    replication_pad2d replication_pad3d roll flip tril triu im2col col2im pixel_shuffle pixel_unshuffle
    channel_shuffle native_channel_shuffle block_diag
    index _unsafe_index index_add index_copy index_fill index_put _index_put_impl _unsafe_index_put index_reduce
    index_select gather scatter scatter_add scatter_reduce select_scatter slice_scatter diagonal_scatter
    as_strided_scatter diag_embed rot90 trace narrow_copy floor_divide rsub isin
    select slice take put masked_fill masked_scatter masked_select where nonzero
    nonzero_static _unique _unique2 unique_dim unique_consecutive unique_dim_consecutive repeat_interleave
    sort topk kthvalue median nanmedian mode searchsorted bucketize bincount histc argmax argmin max min aminmax
    cumsum cumprod cummax cummin logcumsumexp _logcumsumexp _cummax_helper _cummin_helper sum mean var std var_mean
    std_mean prod any all logsumexp
    upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d
    _upsample_bilinear2d_aa _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d
    nll_loss nll_loss2d nll_loss_forward nll_loss2d_forward mse_loss binary_cross_entropy
    binary_cross_entropy_with_logits smooth_l1_loss huber_loss
    multi_margin_loss multilabel_margin_loss multilabel_margin_loss_forward soft_margin_loss _ctc_loss _cudnn_ctc_loss
    miopen_ctc_loss
    _cdist _pdist _pdist_forward dist linalg_cross allclose _is_all_true _is_any_true hash_tensor _aminmax __irshift
    histogram _histogramdd_bin_edges _histogramdd_from_bin_cts _histogramdd_from_bin_tensors
    _add_relu _stack _chunk_cat _unsafe_masked_index _unsafe_masked_index_put_accumulate diagonal unfold
    _fused_dropout _masked_scale rrelu_with_noise_functional glu_jvp glu_backward_jvp log_sigmoid
    _embedding_bag_dense _embedding_bag_per_sample_weights segment_reduce _segment_reduce _dirichlet_grad
    _standard_gamma_grad _upsample_lanczos2d_aa _grid_sampler_2d_cpu_fallback cudnn_grid_sampler max_pool2d
    batch_norm_stats batch_norm_elemt batch_norm_gather_stats batch_norm_gather_stats_with_counts
    batch_norm_update_stats batch_norm_backward_reduce batch_norm_backward_elemt _batch_norm_with_update_functional
    native_norm _transform_bias_rescale_qkv to_padded_tensor _jagged_to_padded_dense_forward
    _padded_dense_to_jagged_forward _nested_from_padded _nested_from_padded_tensor
    _nested_from_padded_and_nested_example _nested_tensor_from_mask _nested_tensor_from_mask_left_aligned
    _nested_tensor_from_tensor_list _nested_tensor_softmax_with_shape _nested_sum _nested_select
    fake_quantize_per_tensor_affine_cachemask fake_quantize_per_channel_affine_cachemask
    _fake_quantize_per_tensor_affine_cachemask_tensor_qparams _fake_quantize_learnable_per_tensor_affine
    _fake_quantize_learnable_per_channel_affine _fused_moving_avg_obs_fq_helper
    _fused_moving_avg_obs_fq_helper_functional quantize_per_tensor quantize_per_tensor_dynamic quantize_per_channel
    _make_per_tensor_quantized_tensor _make_per_channel_quantized_tensor dequantize int_repr quantized_batch_norm
    quantized_max_pool1d quantized_max_pool2d quantized_max_pool3d mkldnn_adaptive_avg_pool2d mkldnn_max_pool2d
    mkldnn_max_pool3d
    _amp_update_scale _amp_foreach_non_finite_check_and_unscale _fused_adagrad _fused_adam _fused_adamw _fused_sgd
    _foreach_clone _foreach_copy _foreach_lerp _foreach_max _foreach_norm _foreach_powsum _foreach_zero
    _thnn_fused_lstm_cell _thnn_fused_gru_cell _thnn_fused_lstm_cell_backward_impl
    view_as_real view_as_complex complex polar
    angle real imag _conj conj_physical
"""
FREE = frozenset(_FREE.split())
"""Work that is no multiply-accumulate of a convolution or a linear layer."""

NAMES = {
    "addmm": "linear",
    "addmv": "linear",
    "baddbmm": "matmul",
    "bmm": "matmul",
    "constant_pad_nd": "pad",
    "dot": "matmul",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "mm": "matmul",
    "mv": "matmul",
}


def row_kind(name: str, args: Any) -> tuple[str, Mapping[str, Any]]:
    """What a row calls an operator, by the name of torch's function, and the settings that it shows."""
    if name in ("convolution", "_convolution"):
        _, weight, _, stride, padding, dilation, transposed, _, groups = args[:9]
        dims = weight.dim() - 2
        shown = {"kernel_size": tuple(weight.shape[2:]), "stride": stride, "padding": padding, "dilation": dilation}
        short = {key: _short(tuple(value), dims) for key, value in shown.items()}
        return f"conv_transpose{dims}d" if transposed else f"conv{dims}d", {**short, "groups": groups}
    if name in NAMES:
        return NAMES[name], {}
    if "::" in name:
        return name, {}
    plain = name.strip("_").removeprefix("native_").removesuffix("_legit_no_training").removesuffix("_legit")
    return "scaled_dot_product_attention" if plain.startswith("scaled_dot_product") else plain, {}


def _short(value: tuple[int, ...], dims: int) -> int | tuple[int, ...]:
    """A pair of equals is the number, as in a layer's own settings."""
    full = value * dims if len(value) == 1 else value
    return full[0] if dims == 2 and full[0] == full[1] else full


def shape_of(tensor: Tensor) -> tuple[int, ...]:
    """() for a nested tensor, in which lengths differ."""
    return () if tensor.is_nested else tuple(tensor.shape)


def tensors_in(value: Any, depth: int = 0) -> list[Tensor]:
    """The tensors in whatever nest of sequences, mappings and dataclasses a module takes or gives, in their order."""
    if isinstance(value, Tensor):
        return [value]
    if depth > 8 or isinstance(value, str | bytes | int | float | bool | None):
        return []
    if isinstance(value, Mapping):
        value = list(value.values())
    elif hasattr(value, "__dataclass_fields__"):
        value = [getattr(value, name, None) for name in value.__dataclass_fields__]
    if isinstance(value, tuple | list):
        return [tensor for one in value for tensor in tensors_in(one, depth + 1)]
    return []
