// The part of libsrtp 3's API that the mediasoup worker uses, on top of Debian's libsrtp 2. Names that are new in 3 are
// defined here; names that mean something else in 3 are redirected by the macros at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <srtp2/srtp.h>

// The worker only translates these two codes of libsrtp 3 into text. Their values are unused by libsrtp 2.
#define srtp_err_status_buffer_small static_cast<srtp_err_status_t>(28)
#define srtp_err_status_cryptex_err static_cast<srtp_err_status_t>(29)

namespace srtp3
{
	// In libsrtp 3 a policy is an opaque object that owns its key; in 2 a plain structure that points to it.
	struct Policy
	{
		::srtp_policy_t policy{};
		uint8_t key[SRTP_MAX_KEY_LEN]{};
	};

	inline srtp_err_status_t policyCreate(Policy** policy)
	{
		*policy = new (std::nothrow) Policy;

		return *policy ? srtp_err_status_ok : srtp_err_status_alloc_fail;
	}

	inline void policyDestroy(Policy* policy)
	{
		delete policy;
	}

	inline srtp_err_status_t policySetSsrc(Policy* policy, srtp_ssrc_t ssrc)
	{
		policy->policy.ssrc = ssrc;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t policySetProfile(Policy* policy, srtp_profile_t profile)
	{
		const auto status = srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

		return status != srtp_err_status_ok
		         ? status
		         : srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile);
	}

	inline srtp_err_status_t policyAddKey(
	  Policy* policy, const uint8_t* key, size_t keyLen, const uint8_t* salt, size_t saltLen, const uint8_t* mki, size_t)
	{
		// The worker never uses a master key identifier.
		if (mki || keyLen + saltLen > sizeof(policy->key))
		{
			return srtp_err_status_bad_param;
		}

		std::memcpy(policy->key, key, keyLen);
		std::memcpy(policy->key + keyLen, salt, saltLen);
		policy->policy.key = policy->key;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t policySetAllowRepeatTx(Policy* policy, bool allow)
	{
		policy->policy.allow_repeat_tx = allow;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t policySetWindowSize(Policy* policy, size_t size)
	{
		policy->policy.window_size = size;

		return srtp_err_status_ok;
	}

	inline srtp_err_status_t create(srtp_t* session, const Policy* policy)
	{
		return ::srtp_create(session, &policy->policy);
	}

	// libsrtp 2 works in place, and 3 from one buffer to another that may be the same. `transform` is a function of 2.
	inline srtp_err_status_t apply(
	  srtp_err_status_t (*transform)(srtp_t, void*, int*),
	  srtp_t session,
	  const uint8_t* in,
	  size_t inLen,
	  uint8_t* out,
	  size_t* outLen,
	  size_t trailerLen)
	{
		if (inLen + trailerLen > *outLen)
		{
			return srtp_err_status_buffer_small;
		}

		if (in != out)
		{
			std::memcpy(out, in, inLen);
		}

		int len{ static_cast<int>(inLen) };
		const auto status = transform(session, out, &len);

		*outLen = static_cast<size_t>(len);

		return status;
	}

	inline srtp_err_status_t protect(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t)
	{
		return apply(::srtp_protect, session, in, inLen, out, outLen, SRTP_MAX_TRAILER_LEN);
	}

	inline srtp_err_status_t protectRtcp(
	  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t)
	{
		// An SRTCP packet also gets the four bytes of its index.
		return apply(::srtp_protect_rtcp, session, in, inLen, out, outLen, SRTP_MAX_TRAILER_LEN + 4);
	}

	inline srtp_err_status_t unprotect(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
	{
		return apply(::srtp_unprotect, session, in, inLen, out, outLen, 0);
	}

	inline srtp_err_status_t unprotectRtcp(srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
	{
		return apply(::srtp_unprotect_rtcp, session, in, inLen, out, outLen, 0);
	}
} // namespace srtp3

#define srtp_policy_t srtp3::Policy*
#define srtp_policy_create srtp3::policyCreate
#define srtp_policy_destroy srtp3::policyDestroy
#define srtp_policy_set_ssrc srtp3::policySetSsrc
#define srtp_policy_set_profile srtp3::policySetProfile
#define srtp_policy_add_key srtp3::policyAddKey
#define srtp_policy_set_allow_repeat_tx srtp3::policySetAllowRepeatTx
#define srtp_policy_set_window_size srtp3::policySetWindowSize
#define srtp_create srtp3::create
#define srtp_protect srtp3::protect
#define srtp_protect_rtcp srtp3::protectRtcp
#define srtp_unprotect srtp3::unprotect
#define srtp_unprotect_rtcp srtp3::unprotectRtcp
#define srtp_stream_remove srtp_remove_stream
